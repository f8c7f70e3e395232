// Passes requests on with `Authorization: Bearer $MCP_TOKEN`, for the conformance suite, which has no way to send one.
// MCP_TOKEN=... node proxy.mjs URL prints its own address. Host and Origin pass as they are unless they name the proxy.
import http from 'node:http';

const target = new URL(process.argv[2]);
const proxy = http.createServer((incoming, outgoing) => {
  const own = `127.0.0.1:${proxy.address().port}`;
  const localhost = `localhost:${proxy.address().port}`;
  const headers = { authorization: `Bearer ${process.env.MCP_TOKEN}`, ...incoming.headers };
  if ([own, localhost].includes(headers.host)) headers.host = target.host;
  if ([`http://${own}`, `http://${localhost}`].includes(headers.origin)) headers.origin = target.origin;
  const { hostname, port } = target;
  const onward = http.request({ hostname, port, method: incoming.method, path: incoming.url, headers, setHost: false });
  onward.on('response', (response) => {
    outgoing.writeHead(response.statusCode, response.headers);
    response.pipe(outgoing);
  });
  onward.on('error', () => {
    if (!outgoing.headersSent) outgoing.writeHead(502);
    outgoing.end();
  });
  outgoing.on('close', () => onward.destroy());
  incoming.pipe(onward);
});
proxy.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${proxy.address().port}${target.pathname}`);
});
