//! The Coda API of the tests as a program: sample documents for trying the server out without a Coda account.
//!
//! `cargo run --example stub_coda -- --port 0`

#[allow(dead_code, reason = "the faults are for tests")]
#[path = "../tests/support/stub_coda.rs"]
mod stub_coda;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let port = match (args.next().as_deref(), args.next()) {
        (None, _) => 0,
        (Some("--port"), Some(port)) => port.parse().map_err(std::io::Error::other)?,
        _ => return Err(std::io::Error::other("usage: stub_coda [--port PORT]")),
    };
    let stub = stub_coda::StubCoda::start_on(port).await?;
    println!("stub Coda API listening on {}", stub.base());
    stub.wait().await;
    Ok(())
}
