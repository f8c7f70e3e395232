//! The assistant as a program.

fn main() -> std::process::ExitCode {
    mcp_server_runtime::run(orders::assistant::server())
}
