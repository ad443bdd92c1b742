//! Orders kept in a database, as a program: `orders --port 8000 --database postgres://…`; `DATABASE_URL` stands for
//! `--database`.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (mut port, mut database) = (0, std::env::var("DATABASE_URL").ok());
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(format!("{arg} wants a value"))?;
        match arg.as_str() {
            "--port" => port = value.parse()?,
            "--database" => database = Some(value),
            _ => return Err(format!("{arg} is not an option: --port and --database are").into()),
        }
    }
    shop::orders::serve(port, &database.ok_or("no --database, and no DATABASE_URL")?).await
}
