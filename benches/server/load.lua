-- One request over and over, made once; the figures as one line of JSON. The body comes from the environment.
wrk.method = "POST"
wrk.body = os.getenv("LOAD_BODY")
if os.getenv("LOAD_ACCESS_TOKEN") then
	wrk.headers["cf-access-jwt-assertion"] = os.getenv("LOAD_ACCESS_TOKEN")
else
	wrk.headers["Authorization"] = "Bearer " .. os.getenv("LOAD_TOKEN")
end
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["MCP-Protocol-Version"] = "2025-11-25"

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		'\nRESULT {"requests":%d,"microseconds":%d,"bytes":%d,"errors":%d,"p50":%d,"p99":%d}\n',
		summary.requests, summary.duration, summary.bytes,
		e.connect + e.read + e.write + e.status + e.timeout,
		latency:percentile(50), latency:percentile(99)
	))
end
