-- Asks riskgate about a request, for riskgate.conf beside it. Needs LuaSocket (Debian: lua-socket).

local socket = require("socket")

local host, port = "riskgate", 8080
local key = "REPLACE_WITH_AN_API_KEY"
-- Longer than DECISION_DEADLINE_MS.
local timeout_s = 2

-- What belongs to this connection and not to the next, what is said by us alone, and the body, which is not sent.
local not_forwarded = {
  ["connection"] = true,
  ["content-encoding"] = true,
  ["content-length"] = true,
  ["content-type"] = true,
  ["expect"] = true,
  ["host"] = true,
  ["keep-alive"] = true,
  ["te"] = true,
  ["trailer"] = true,
  ["transfer-encoding"] = true,
  ["upgrade"] = true,
  ["x-original-method"] = true,
  ["x-original-uri"] = true,
  ["x-riskgate-key"] = true,
}

-- X-Risk-Decision, X_Risk_Decision, X.Risk~Decision: application servers take them for the same. X-Riskgate-Key too.
local function is_risk_header(name)
  return name:lower():find("^x%Wrisk") ~= nil
end

local function request_text(r, profile)
  local lines = {
    "GET /v1/gateway/nginx/" .. profile .. " HTTP/1.0",
    "Host: " .. host,
    "X-Riskgate-Key: " .. key,
    "X-Original-Method: " .. r.method,
    "X-Original-URI: " .. r.unparsed_uri,
  }
  for name, value in pairs(r:headers_in_table()) do
    if not not_forwarded[name:lower()] and not is_risk_header(name) then
      lines[#lines + 1] = name .. ": " .. value
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- Status, headers by lower-case name, and body; nil where there is no answer in time.
local function ask(r, profile)
  local connection = socket.tcp()
  local ends_at = socket.gettime() + timeout_s
  connection:settimeout(timeout_s)
  if not connection:connect(host, port) then
    return nil
  end
  connection:send(request_text(r, profile))
  local received = {}
  while true do
    local left = ends_at - socket.gettime()
    if left <= 0 then
      connection:close()
      return nil
    end
    connection:settimeout(left)
    local all, failure, part = connection:receive(8192)
    received[#received + 1] = all or part
    if failure == "closed" then
      break
    elseif failure then
      connection:close()
      return nil
    end
  end
  connection:close()
  local head, body = table.concat(received):match("^(.-)\r\n\r\n(.*)$")
  local status = head and tonumber(head:match("^HTTP/%d%.%d (%d%d%d)"))
  local headers = {}
  for name, value in (head or ""):gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    headers[name:lower()] = value
  end
  if not status or not headers["x-risk-decision"] then
    return nil
  end
  return status, headers, body
end

local function refuse(r, status, body)
  r.status = status
  r.err_headers_out["Cache-Control"] = "no-store"
  r.content_type = "application/json"
  r:puts(body)
  return apache2.DONE
end

-- True for a path that servers read in several ways.
local function is_ambiguous(path)
  return path:find("//", 1, true) or path:find("[\\;]") or (path .. "/"):find("/%.+/") or path:gsub("%%20", ""):find("%%[0-7]")
end

-- The profile that a path is asked with; `r.uri` is as Apache understands the path, which the application is sent as
-- it came.
local function profile_of(r)
  if is_ambiguous(r.unparsed_uri:match("^[^?]*")) then
    return "default"
  elseif r.uri:find("^/api/") then
    return "api"
  elseif r.uri:find("^/account/") then
    return "web"
  elseif r.uri:find("^/catalogue/") then
    return "catalogue"
  end
  return "default"
end

function check(r)
  -- A subrequest or an internal redirect of a request that was let in already.
  if not r.is_initial_req then
    return apache2.DECLINED
  end
  local spoofed = {}
  for name in pairs(r:headers_in_table()) do
    if is_risk_header(name) then
      spoofed[#spoofed + 1] = name
    end
  end
  local status, headers, body = ask(r, profile_of(r))
  for _, name in ipairs(spoofed) do
    r.headers_in[name] = nil
  end
  -- mod_proxy drops what a client names here, and would drop what riskgate has said.
  local connection = (r.headers_in["Connection"] or ""):lower()
  r.headers_in["Connection"] = connection:find("close", 1, true) and "close" or nil
  if not status then
    r.err_headers_out["X-Risk-Decision"] = "UNAVAILABLE"
    r.err_headers_out["X-Risk-Decision-Id"] = "none"
    r.err_headers_out["Retry-After"] = "1"
    return refuse(r, 503, '{"decision":"UNAVAILABLE","decision_id":null}')
  end
  if status == 200 then
    for _, name in ipairs({ "X-Risk-Decision", "X-Risk-Decision-Id", "X-Risk-Reasons" }) do
      r.headers_in[name] = headers[name:lower()]
    end
    return apache2.DECLINED
  end
  r.err_headers_out["X-Risk-Decision"] = headers["x-risk-decision"]
  r.err_headers_out["X-Risk-Decision-Id"] = headers["x-risk-decision-id"]
  for _, name in ipairs({ "WWW-Authenticate", "Retry-After" }) do
    if headers[name:lower()] then
      r.err_headers_out[name] = headers[name:lower()]
    end
  end
  if status == 401 and headers["location"] then
    r.err_headers_out["Location"] = headers["location"]
    return 302
  end
  -- Nothing but a 200 lets a request in.
  return refuse(r, status >= 400 and status or 403, body)
end
