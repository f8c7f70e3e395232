//! The Access emulator between clients and a server, both as processes of the same program.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::process::Stdio;

use mcp_auth_middleware::testing::s256;
use mcp_server_runtime::reqwest;
use reqwest::header::{LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

const PANEL: &str = "/cdn-cgi/access/emulator";
const CALLBACK: &str = "http://localhost:1455/callback";
const VERIFIER: &str = "a-verifier-of-pkce-that-is-long-enough-0123456789";

struct Running {
    _server: Child,
    emulator: Child,
    edge: String,
    http: Client,
    /// What the server logs.
    log: Lines<BufReader<ChildStderr>>,
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

fn program(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(support::program());
    command.env_clear().envs(variables.iter().copied()).kill_on_drop(true).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

async fn line_with(log: &mut Lines<BufReader<ChildStderr>>, text: &str) -> String {
    loop {
        let line = log.next_line().await.expect("a log").unwrap_or_else(|| panic!("the log ended without {text}"));
        if line.contains(text) {
            return line;
        }
    }
}

async fn start() -> Running {
    let (port, edge) = (free_port().to_string(), format!("http://127.0.0.1:{}", free_port()));
    let variables = [
        ("PORT", port.as_str()),
        ("AUTH_MODE", "cloudflare"),
        ("CF_ACCESS_TEAM_DOMAIN", &edge),
        ("CF_ACCESS_AUD", "application"),
        ("CF_ACCESS_ALLOWED_SERVICE_TOKENS", "ci.access"),
        ("API_TOKEN", support::API_TOKEN),
    ];
    let mut emulator = program(&variables).arg("access-emulator").spawn().expect("started");
    let mut said = BufReader::new(emulator.stderr.take().expect("a log")).lines();
    // It writes a line for each request: somebody has to read them.
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    while tokio::net::TcpStream::connect(edge.trim_start_matches("http://")).await.is_err() {
        assert!(emulator.try_wait().expect("a status").is_none(), "the emulator ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // After it: a server looks for keys when it starts.
    let mut server = program(&variables).spawn().expect("started");
    let mut log = BufReader::new(server.stderr.take().expect("a log")).lines();
    line_with(&mut log, "listening on").await;
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client");
    Running { _server: server, emulator, edge, http, log }
}

/// Status, and the body as JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    support::answer(request).await
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

impl Running {
    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.edge))
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(format!("{}{path}", self.edge));
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// A call of the tool that tells who is calling.
    fn whoami(&self) -> RequestBuilder {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_whoami", "arguments": {}}});
        let request = self.http.post(format!("{}/mcp", self.edge)).header("content-type", "application/json");
        request.header("accept", "application/json, text/event-stream").body(call.to_string())
    }

    async fn switch(&self, name: &str, value: &str) {
        let answer = self.post(PANEL, &[(name, value)]).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 303, "{name}={value}");
    }

    async fn state(&self) -> Value {
        answer(self.get(PANEL).header("accept", "application/json")).await.1
    }

    /// A service token: the headers of a request.
    async fn service(&self, id: &str) -> RequestBuilder {
        let state = self.state().await;
        let tokens = state["serviceTokens"].as_array().expect("tokens");
        let token = tokens.iter().find(|token| token["clientId"] == id).expect("the token");
        let secret = token["clientSecret"].as_str().expect("a secret");
        self.whoami().header("cf-access-client-id", id).header("cf-access-client-secret", secret)
    }

    async fn register(&self, more: Value) -> (u16, Value) {
        let mut client =
            json!({"redirect_uris": [CALLBACK], "client_name": "test", "token_endpoint_auth_method": "none"});
        for (name, value) in more.as_object().expect("members") {
            client[name] = value.clone();
        }
        answer(self.http.post(format!("{}/cdn-cgi/access/oauth/registration", self.edge)).body(client.to_string()))
            .await
    }

    /// The members of a request for a code.
    fn asked(&self, client: &str) -> Vec<(&'static str, String)> {
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", client.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("state", "a state & more".to_owned()),
            ("code_challenge", s256(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
            ("resource", format!("{}/mcp", self.edge)),
        ]
    }

    /// Where the login page leads to.
    async fn authorize(&self, asked: &[(&str, String)], email: &str) -> (u16, String) {
        let mut form: Vec<_> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
        form.push(("email", email));
        let response = self.post("/cdn-cgi/access/oauth/authorization", &form).send().await.expect("an answer");
        (response.status().as_u16(), header(&response, LOCATION))
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        answer(self.post("/cdn-cgi/access/oauth/token", form)).await
    }

    /// A whole login: the client's id and the answer with its tokens.
    async fn log_in(&self, email: &str) -> (String, Value) {
        let client = self.register(json!({})).await.1["client_id"].as_str().expect("an id").to_owned();
        let (status, to) = self.authorize(&self.asked(&client), email).await;
        assert_eq!(status, 302);
        let code = code(&to);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("client_id", client.as_str()),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = self.token(&form).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(self.token(&form).await.1["error"], "invalid_grant", "a code counts once");
        (client, tokens)
    }
}

fn code(address: &str) -> String {
    let url = url::Url::parse(address).expect("an address");
    assert!(url.query_pairs().any(|pair| pair == ("state".into(), "a state & more".into())), "{address}");
    url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

fn caller(answer: &Value) -> &Value {
    &answer["result"]["structuredContent"]
}

#[tokio::test]
async fn from_the_challenge_to_a_tool() {
    let running = start().await;
    let edge = &running.edge;
    let response = running.whoami().send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 401);
    let metadata = format!("{edge}/.well-known/cloudflare-access-protected-resource/mcp");
    let challenge = header(&response, WWW_AUTHENTICATE);
    assert!(challenge.starts_with("Bearer realm=\"OAuth\", error=\"invalid_token\""), "{challenge}");
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");

    let (status, resource) = answer(running.http.get(metadata)).await;
    assert_eq!((status, &resource["resource"]), (200, &json!(format!("{edge}/mcp"))));
    let server = resource["authorization_servers"][0].as_str().expect("an authorization server");
    let (_, server) = answer(running.http.get(format!("{server}/.well-known/oauth-authorization-server"))).await;
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["token_endpoint"], format!("{edge}/cdn-cgi/access/oauth/token"));

    let (status, refused) = running.register(json!({"redirect_uris": ["https://evil.example/callback"]})).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_client_metadata")));

    let (client, tokens) = running.log_in("grace@example.com").await;
    let access = tokens["access_token"].as_str().expect("a token");
    assert!(access.starts_with("oauth:") && tokens["expires_in"] == 900, "{tokens}");
    let (status, who) = answer(running.whoami().bearer_auth(access)).await;
    assert_eq!((status, caller(&who)), (200, &json!({"email": "grace@example.com", "kind": "human"})));

    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().expect("a token")),
        ("client_id", client.as_str()),
    ];
    let (status, fresh) = running.token(&form).await;
    assert_eq!(status, 200);
    assert_eq!(running.token(&form).await.1["error"], "invalid_grant", "a refresh token counts once");
    let fresh = fresh["access_token"].as_str().expect("a token");
    assert_eq!(answer(running.whoami().bearer_auth(fresh)).await.0, 200);
    let gone = running.post("/cdn-cgi/access/oauth/revoke", &[("token", fresh)]).send().await.expect("an answer");
    assert_eq!(gone.status().as_u16(), 200);
    assert_eq!(answer(running.whoami().bearer_auth(fresh)).await.0, 401);
}

#[tokio::test]
async fn a_login_is_for_the_client_that_began_it() {
    let running = start().await;
    let client = running.register(json!({})).await.1["client_id"].as_str().expect("an id").to_owned();
    let good = running.asked(&client);
    for (name, value, status) in [
        ("client_id", "unknown", 401),
        ("redirect_uri", "http://localhost:1/other", 400),
        ("response_type", "token", 400),
        ("code_challenge", "", 400),
        ("code_challenge_method", "plain", 400),
        ("resource", "https://mcp.example.com/mcp", 400),
    ] {
        let mut asked = good.clone();
        asked.iter_mut().filter(|(other, _)| *other == name).for_each(|pair| pair.1 = value.to_owned());
        assert_eq!(running.authorize(&asked, "ada@example.com").await, (status, String::new()), "{name}={value}");
    }
    for address in ["nobody", "a b@example.com", "ada@example.com\n2026 forged line", "@"] {
        assert_eq!(running.authorize(&good, address).await.0, 400, "{address}");
    }
    // Without the resource, Access ends the login at the application.
    assert_eq!(running.authorize(&good[..6], "ada@example.com").await, (302, "/".to_owned()));

    let other = running.register(json!({"token_endpoint_auth_method": "client_secret_post"})).await.1;
    let (id, secret) =
        (other["client_id"].as_str().expect("an id"), other["client_secret"].as_str().expect("a secret"));
    for (name, value) in [("code_verifier", "another"), ("redirect_uri", "http://localhost:1/"), ("client_id", id)] {
        let code = code(&running.authorize(&good, "ada@example.com").await.1);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("client_id", client.as_str()),
            ("code_verifier", VERIFIER),
            ("client_secret", secret),
        ];
        form.iter_mut().filter(|(other, _)| *other == name).for_each(|pair| pair.1 = value);
        assert_eq!(running.token(&form).await.1["error"], "invalid_grant", "{name}");
    }
    let (status, refused) =
        running.token(&[("grant_type", "refresh_token"), ("client_id", id), ("client_secret", "no")]).await;
    assert_eq!((status, &refused["error"]), (401, &json!("invalid_client")));
    let (_, refused) = running.token(&[("grant_type", "password"), ("client_id", client.as_str())]).await;
    assert_eq!(refused["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn service_tokens_are_strict() {
    let running = start().await;
    let (status, who) = answer(running.service("ci.access").await).await;
    assert_eq!((status, caller(&who)), (200, &json!({"email": "ci.access", "kind": "service-token"})));
    let wrong = running.whoami().header("cf-access-client-id", "ci.access").header("cf-access-client-secret", "wrong");
    assert_eq!(answer(wrong).await, (401, Value::Null));
    assert_eq!(answer(running.service("no-policy.access").await).await, (403, Value::Null));
    // Access lets it pass, and the server does not.
    let (status, refused) = answer(running.service("not-listed.access").await).await;
    assert_eq!((status, &refused["code"]), (401, &json!("MCP-AUTH-015")));
}

#[tokio::test]
async fn browsers_are_led_to_the_login_page() {
    let running = start().await;
    let page = |request: RequestBuilder| request.header("accept", "text/html,*/*").send();
    let response = page(running.get("/health?x=1")).await.expect("an answer");
    assert_eq!(response.status().as_u16(), 302, "health, too, is behind the edge");
    let login = header(&response, LOCATION);
    assert!(login.starts_with(&format!("{}/cdn-cgi/access/login/", running.edge)), "{login}");
    assert!(header(&response, WWW_AUTHENTICATE).starts_with("Cloudflare-Access resource_metadata="));
    let form = page(running.http.get(&login)).await.expect("a page").text().await.expect("a page");
    assert!(form.contains("name=\"redirect_url\" value=\"/health?x=1\"") && form.contains("name=\"email\""), "{form}");

    let path = login.trim_start_matches(&running.edge).split('?').next().expect("a path").to_owned();
    for (asked, wanted) in [
        ("/health?x=1", "/health?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
    ] {
        let response = running
            .post(&path, &[("email", "ada@example.com"), ("redirect_url", asked)])
            .send()
            .await
            .expect("an answer");
        assert_eq!((response.status().as_u16(), header(&response, LOCATION).as_str()), (302, wanted));
    }
    let response = running.post(&path, &[("email", "ada@example.com")]).send().await.expect("an answer");
    let cookie = header(&response, SET_COOKIE).split(';').next().expect("a cookie").to_owned();
    let (status, who) = answer(running.whoami().header("cookie", format!("theme=dark; {cookie}"))).await;
    assert_eq!((status, &caller(&who)["email"]), (200, &json!("ada@example.com")));
    assert_eq!(answer(running.whoami().header("cookie", "CF_Authorization=forged")).await.0, 401);
    let out = running.get("/cdn-cgi/access/logout").header("cookie", &cookie).send().await.expect("an answer");
    assert_eq!(out.status().as_u16(), 200);
    assert_eq!(answer(running.whoami().header("cookie", cookie)).await.0, 401);
}

#[tokio::test]
async fn each_fault_has_the_servers_own_reason() {
    let mut running = start().await;
    for (fault, code, reason) in [
        ("expired", "MCP-AUTH-010", "jwt expired"),
        ("wrong-audience", "MCP-AUTH-013", "audience mismatch"),
        ("other-team", "MCP-AUTH-012", "issuer mismatch"),
        ("unknown-key", "MCP-AUTH-008", "unknown key id"),
        ("wrong-signature", "MCP-AUTH-009", "invalid signature"),
        ("no-assertion", "MCP-AUTH-001", "no credentials"),
    ] {
        running.switch("fault", fault).await;
        let (status, refused) = answer(running.service("ci.access").await).await;
        assert_eq!((status, &refused["code"]), (401, &json!(code)), "{fault}: {refused}");
        line_with(&mut running.log, reason).await;
    }
    running.switch("fault", "none").await;
    assert_eq!(answer(running.service("ci.access").await).await.0, 200);

    // Known keys outlive the key server. How new ones are found, at most each 30 seconds, the end-to-end tests see.
    let certs = async || answer(running.get("/cdn-cgi/access/certs")).await;
    running.switch("key-server", "off").await;
    assert_eq!(certs().await.0, 503);
    assert_eq!(answer(running.service("ci.access").await).await.0, 200);
    running.switch("key-server", "on").await;
    let before = certs().await.1["keys"][0]["kid"].clone();
    running.switch("keys", "rotate").await;
    let both = certs().await.1;
    assert!(both["keys"][0]["kid"] != before && both["keys"][1]["kid"] == before, "{both}");
    running.switch("keys", "retire").await;
    assert_eq!(certs().await.1["keys"].as_array().map(Vec::len), Some(1));

    running.switch("managed-oauth", "off").await;
    let response = running.whoami().send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 302, "a login page, which no client of MCP can use");
    assert_eq!(answer(running.get("/.well-known/oauth-authorization-server")).await.0, 404);
    running.switch("managed-oauth", "on").await;
    running.switch("ai-bots", "off").await;
    let blocked = running.whoami().header("user-agent", "Claude-User/1.0").send().await.expect("an answer");
    assert_eq!(blocked.status().as_u16(), 403);
    assert_eq!(blocked.text().await.expect("a text"), "Your request was blocked.");
    running.switch("tunnel", "off").await;
    let down = running.service("ci.access").await.send().await.expect("an answer");
    assert_eq!((down.status().as_u16(), down.text().await.expect("a text").as_str()), (530, "error code: 1033"));
    let unknown = running.post(PANEL, &[("gravity", "off")]).send().await.expect("an answer");
    assert_eq!(unknown.status().as_u16(), 400);
}

#[tokio::test]
async fn nobody_elsewhere_gets_in_and_nothing_forged_gets_through() {
    let mut running = start().await;
    let forged = running
        .whoami()
        .header("cf-access-jwt-assertion", "forged")
        .header("cf-access-authenticated-user-email", "a@b.example");
    assert_eq!(answer(forged).await.0, 401);
    let (_, tokens) = running.log_in("grace@example.com").await;
    let access = tokens["access_token"].as_str().expect("a token");
    let forged = running.whoami().bearer_auth(access).header("cf-access-jwt-assertion", "forged");
    assert_eq!(answer(forged).await.0, 200, "the edge's own assertion takes its place");

    for host in ["mcp.example.com", "127.0.0.1.evil.example", "localhost:1@evil.example", "192.0.2.1"] {
        let response = running.get(PANEL).header("host", host).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 403, "{host}");
    }
    let other_page = running.post(PANEL, &[("fault", "expired")]).header("origin", "https://evil.example");
    assert_eq!(other_page.send().await.expect("an answer").status().as_u16(), 403);
    assert_eq!(running.state().await["fault"], "none");
    let page = running.get(PANEL).send().await.expect("a page");
    let policy = page.headers().get("content-security-policy").expect("a policy").to_str().expect("text");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");

    // A server that is gone does not look like one that refuses.
    running._server.kill().await.expect("killed");
    let response = running.whoami().bearer_auth(access).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 502);
    let pid = running.emulator.id().expect("running").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill").success());
    assert_eq!(running.emulator.wait().await.expect("ended").code(), Some(0));
}

#[tokio::test]
async fn it_refuses_to_run_where_others_reach_it() {
    let good = [("CF_ACCESS_TEAM_DOMAIN", "http://127.0.0.1:8788"), ("CF_ACCESS_AUD", "application")];
    let team = "https://team.cloudflareaccess.com";
    for (more, arguments, why) in [
        (("CF_ACCESS_TEAM_DOMAIN", team), &[][..], "stands in for a team on this machine only"),
        (("CF_ACCESS_TEAM_DOMAIN", ""), &[], "CF_ACCESS_TEAM_DOMAIN is empty"),
        (("CF_ACCESS_AUD", ""), &[], "CF_ACCESS_AUD is empty"),
        (("KUBERNETES_SERVICE_HOST", "10.0.0.1"), &["--listen", "0.0.0.0:8788"], "this is Kubernetes"),
    ] {
        let variables: Vec<_> = good.into_iter().chain([more]).collect();
        let output = program(&variables).arg("access-emulator").args(arguments).output().await.expect("ran");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
