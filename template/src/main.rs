//! The program: `serve`, `healthcheck`, `doctor`, `config`, and the commands of the token store. `--help` says more.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mcp_server_runtime::run(mcp_server::server())
}
