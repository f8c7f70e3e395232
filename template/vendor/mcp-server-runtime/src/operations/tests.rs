use super::*;

fn operation(text: &str) -> Operations {
    Operations::parse(&format!("{{\"tools\": [{text}]}}")).unwrap()
}

const LIST: &str = r#"{
    "name": "list_rows", "title": "List rows", "description": "Lists rows.", "method": "GET", "path": "/docs/{docId}/rows",
    "arguments": {
        "type": "object",
        "properties": {
            "docId": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1},
            "filter": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
            "since": {"type": "string"}
        },
        "required": ["docId"],
        "additionalProperties": false
    },
    "places": {
        "docId": {"in": "path"}, "limit": {"in": "query"}, "filter": {"in": "query", "style": "deep"},
        "tags": {"in": "query", "name": "tag[]", "style": "comma"}, "since": {"in": "header", "name": "If-Modified-Since"}
    }
}"#;

fn request(operations: &Operations, arguments: Value) -> Result<ApiRequest, String> {
    operations.0[0].request(arguments.as_object().cloned().unwrap())
}

#[test]
fn arguments_go_where_the_file_says() {
    let arguments = json!({"docId": "../a", "limit": 2.0, "filter": {"a": [1, 2]}, "tags": ["x", "y"], "since": "now"});
    let request = request(&operation(LIST), arguments).unwrap();
    assert_eq!((request.method, request.path.as_str()), (Method::GET, "/docs/..%2Fa/rows"));
    let query: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(query, ["filter[a][]=1", "filter[a][]=2", "limit=2", "tag[]=x,y"]);
    assert_eq!(request.headers["if-modified-since"], "now");
    assert!(request.body.is_none());
}

#[test]
fn an_argument_that_does_not_fit_is_named_and_nothing_goes_out() {
    let operations = operation(LIST);
    for (arguments, expected) in [
        (json!({}), "missing field `docId`"),
        (json!({"docId": null}), "missing field `docId`"),
        (json!({"docId": 1}), "docId: must be string"),
        (json!({"docId": ".."}), "docId is not a valid id or name"),
        (json!({"docId": "a", "sessionId": "x"}), "unknown field `sessionId`"),
        (json!({"docId": "a", "limit": 0}), "limit: must be at least 1"),
        (json!({"docId": "a", "limit": "1"}), "limit: must be integer"),
        (json!({"docId": "a", "filter": {"a": ["x"]}}), "filter.a[0]: must be integer"),
        (json!({"docId": "a", "tags": ["z"]}), "tags[0]: must be one of \"x\", \"y\""),
        (json!({"docId": "a", "since": "a\r\nb"}), "since cannot be sent in a header"),
    ] {
        let error = request(&operations, arguments.clone()).unwrap_err();
        assert!(error.starts_with(expected), "{arguments}: {error}");
    }
}

#[test]
fn a_body_is_written_as_the_api_reads_it() {
    let create = |kind: &str| {
        operation(&format!(
            r#"{{"name": "create", "title": "C", "description": "C.", "method": "POST", "path": "/c", "body": "{kind}",
               "arguments": {{"type": "object", "properties": {{"body": {{"type": "object"}}}}, "required": ["body"]}}}}"#
        ))
    };
    let arguments = json!({"body": {"name": "a&b", "lines": [{"n": 1}], "gone": null}});
    let body = |kind: &str| {
        let (kind, bytes) = request(&create(kind), arguments.clone()).unwrap().body.unwrap();
        format!("{kind} {}", String::from_utf8(bytes).unwrap())
    };
    assert_eq!(body("application/json"), r#"application/json {"gone":null,"lines":[{"n":1}],"name":"a&b"}"#);
    assert_eq!(
        body("application/x-www-form-urlencoded"),
        "application/x-www-form-urlencoded gone=&lines%5B%5D%5Bn%5D=1&name=a%26b"
    );
}

#[test]
fn hints_follow_the_method() {
    let hints = |method: &str| {
        let text = LIST.replace("\"GET\"", &format!("\"{method}\""));
        let hints = operation(&text).0[0].tool().annotations.unwrap();
        (hints.read_only_hint.unwrap(), hints.destructive_hint.unwrap(), hints.idempotent_hint.unwrap())
    };
    assert_eq!(hints("GET"), (true, false, true));
    assert_eq!(hints("POST"), (false, false, false));
    assert_eq!(hints("PUT"), (false, true, true));
    assert_eq!(hints("PATCH"), (false, true, false));
    assert_eq!(hints("DELETE"), (false, true, true));
}

#[test]
fn a_wrong_file_is_refused_as_a_whole() {
    for (text, expected) in [
        (String::from("{"), "the file of operations is not valid"),
        (format!("{{\"tools\": [{LIST}, {LIST}]}}"), "list_rows of the file of operations is there twice"),
        (format!("{{\"tools\": [{}]}}", LIST.replace("GET", "TRACE")), "has a method"),
        (format!("{{\"tools\": [{}]}}", LIST.replace("\"docId\": {\"in\"", "\"doc\": {\"in\"")), "has a place for"),
        (
            format!("{{\"tools\": [{}]}}", LIST.replace("\"docId\": {\"in\": \"path\"},", "")),
            "an argument without a place",
        ),
        (format!("{{\"tools\": [{}]}}", LIST.replace("\"title\"", "\"tittle\"")), "unknown field `tittle`"),
    ] {
        let error = Operations::parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
