//! A service to look at: gives every request the same good answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream};

use crate::exit::{Exit, Stop};

/// Answers HTTP requests on a port until it is ended; only those of this host, unless told otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    port: u16,
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let listener = TcpListener::bind((args.host, args.port))
        .map_err(|error| Stop::usage(format!("port {}: {error}", args.port)))?;
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || answer(stream));
    }
    Ok(Exit::Done)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?).lines();
    while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
}
