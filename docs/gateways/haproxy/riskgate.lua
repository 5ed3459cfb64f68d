-- Asks riskgate about a request, for haproxy.cfg beside it. HAProxy 2.5 or newer, whose Lua has an HTTP client.
-- RISKGATE_URL and RISKGATE_KEY come from `setenv` in haproxy.cfg.

local url = os.getenv("RISKGATE_URL")
local key = os.getenv("RISKGATE_KEY")
-- Longer than DECISION_DEADLINE_MS.
local timeout_ms = 2000

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

-- Every value of every other header: two ids are two ids for riskgate too.
local function headers_of(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not not_forwarded[name:lower()] then
      local list = {}
      for place = 0, #values do
        list[#list + 1] = values[place]
      end
      headers[name] = list
    end
  end
  headers["x-riskgate-key"] = { key }
  headers["x-original-method"] = { txn.sf:method() }
  headers["x-original-uri"] = { txn.sf:pathq() }
  return headers
end

local function first(response, name)
  local values = response.headers and response.headers[name]
  return values and values[0] or nil
end

-- Sets txn.risk_status (0 where there is no answer), txn.risk_decision, txn.risk_decision_id, txn.risk_reasons,
-- txn.risk_authenticate (what a CHALLENGE asks for) and,
-- where riskgate redirects, txn.risk_location.
core.register_action("riskgate", { "http-req" }, function(txn, profile)
  txn:set_var("txn.risk_status", 0)
  local response = core.httpclient():get({
    url = url .. "/v1/gateway/nginx/" .. profile,
    headers = headers_of(txn),
    timeout = timeout_ms,
  })
  local decision = response and first(response, "x-risk-decision")
  if not decision then
    return
  end
  txn:set_var("txn.risk_status", response.status)
  txn:set_var("txn.risk_decision", decision)
  txn:set_var("txn.risk_decision_id", first(response, "x-risk-decision-id") or "none")
  txn:set_var("txn.risk_reasons", first(response, "x-risk-reasons") or "none")
  txn:set_var("txn.risk_authenticate", first(response, "www-authenticate") or "Bearer")
  local location = first(response, "location")
  if location then
    txn:set_var("txn.risk_location", location)
  end
end, 1)
