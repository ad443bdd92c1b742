//! The demo service as a program: `shop --port 8000 [--stock URL] [--chatty] [--data FILE]`.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let served = match shop::Options::parse(std::env::args().skip(1)) {
        Ok(options) => shop::serve(options).await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("shop: {why}");
            ExitCode::FAILURE
        }
    }
}
