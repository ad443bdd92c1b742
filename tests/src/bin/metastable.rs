//! A service that does not recover by itself, or its healthy twin: `metastable storm --port 8000 --healthy true`. Its
//! dependency listens at `UPSTREAM`.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let what = args.next().ok_or("what is it to be?")?;
    let (mut port, mut healthy) = (0, false);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(format!("{arg} wants a value"))?;
        match arg.as_str() {
            "--port" => port = value.parse()?,
            "--healthy" => healthy = value.parse()?,
            _ => return Err(format!("{arg} is not an option").into()),
        }
    }
    let upstream = std::env::var("UPSTREAM").ok().map(|address| address.parse()).transpose()?;
    // Nobody may be left to end it, so it ends by itself.
    let served = suite::metastable::serve(&what, port, upstream, healthy);
    tokio::time::timeout(std::time::Duration::from_secs(120), served).await.unwrap_or(Ok(()))?;
    Ok(())
}
