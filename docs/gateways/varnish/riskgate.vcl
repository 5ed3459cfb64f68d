# Varnish asks riskgate before it lets a request in. Open-source VCL has no subrequests: the request goes to riskgate
# first, and once more from the start, to the application, when the answer was 200.
vcl 4.1;

import std;
# Debian: varnish-modules.
import header;

backend riskgate {
    .host = "riskgate";
    .port = "8080";
    .connect_timeout = 1s;
    # Longer than DECISION_DEADLINE_MS.
    .first_byte_timeout = 2s;
}

backend app {
    .host = "app";
    .port = "8000";
}

# X-Risk-Decision, X_Risk_Decision, X.Risk~Decision: application servers take them for the same. X-Riskgate-Key too.
sub strip_risk_headers {
    header.regsub(req, "(?i)^x[^a-z0-9:]risk[^:]*:.*$", "X-Riskgate-Stripped: yes", true);
    unset req.http.X-Riskgate-Stripped;
    # Varnish drops what a client names here, and would drop what riskgate has said.
    unset req.http.Connection;
}

sub vcl_recv {
    if (req.restarts > 0) {
        # riskgate has let it in.
        set req.backend_hint = app;
        return (pass);
    }
    call strip_risk_headers;
    # The body is needed twice; a larger one is refused.
    if (!std.cache_req_body(8MB)) {
        return (synth(413));
    }
    set req.http.X-Original-Method = req.method;
    set req.http.X-Original-URI = req.url;
    # A path that servers read in several ways belongs to no profile but the default.
    if (req.url ~ "^[^?]*(//|[\\;]|/\.+([/?]|$)|%([013-7]|2[^0]))") {
        set req.http.X-Riskgate-Path = "/v1/gateway/nginx/default";
    } elsif (req.url ~ "^/api/") {
        set req.http.X-Riskgate-Path = "/v1/gateway/nginx/api";
    } elsif (req.url ~ "^/account/") {
        set req.http.X-Riskgate-Path = "/v1/gateway/nginx/web";
    } elsif (req.url ~ "^/catalogue/") {
        set req.http.X-Riskgate-Path = "/v1/gateway/nginx/catalogue";
    } else {
        set req.http.X-Riskgate-Path = "/v1/gateway/nginx/default";
    }
    set req.backend_hint = riskgate;
    return (pass);
}

sub vcl_backend_fetch {
    if (bereq.backend == riskgate) {
        set bereq.method = "GET";
        set bereq.url = bereq.http.X-Riskgate-Path;
        unset bereq.http.X-Riskgate-Path;
        # The body goes along and is thrown away there: after `unset bereq.body` Varnish 7.1 still sends a cached body,
        # without a length, and riskgate would take it for the next request. For the same reason the connection
        # serves one question only.
        set bereq.http.Connection = "close";
        set bereq.http.Host = "riskgate";
        set bereq.http.X-Riskgate-Key = "REPLACE_WITH_AN_API_KEY";
    } else {
        unset bereq.http.X-Riskgate-Path;
        unset bereq.http.X-Original-Method;
        unset bereq.http.X-Original-URI;
    }
    return (fetch);
}

sub vcl_backend_response {
    # Not even for grace: an answer is for one request.
    set beresp.uncacheable = true;
    set beresp.ttl = 0s;
    set beresp.grace = 0s;
    return (deliver);
}

sub vcl_deliver {
    if (req.restarts > 0) {
        return (deliver);
    }
    # Nothing but a 200 that says what was decided lets a request in.
    if (resp.status == 200 && resp.http.X-Risk-Decision) {
        set req.http.X-Risk-Decision = resp.http.X-Risk-Decision;
        set req.http.X-Risk-Decision-Id = resp.http.X-Risk-Decision-Id;
        set req.http.X-Risk-Reasons = resp.http.X-Risk-Reasons;
        return (restart);
    }
    if (resp.status == 200) {
        return (synth(503));
    }
    # nginx's dialect: a 401 with a Location is a redirect.
    if (resp.status == 401 && resp.http.Location) {
        set resp.status = 302;
    }
    # The reasons are for the application, not for the refused client.
    unset resp.http.X-Risk-Reasons;
    return (deliver);
}

sub vcl_backend_error {
    # riskgate is down or late; the application's own failures look alike.
    set beresp.status = 503;
    set beresp.http.Content-Type = "application/json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "1";
    if (bereq.backend == riskgate) {
        set beresp.http.X-Risk-Decision = "UNAVAILABLE";
        set beresp.http.X-Risk-Decision-Id = "none";
        synthetic({"{"decision":"UNAVAILABLE","decision_id":null}"});
    } else {
        synthetic({"{}"});
    }
    return (deliver);
}
