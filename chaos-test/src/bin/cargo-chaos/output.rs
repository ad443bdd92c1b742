use std::io::{self, ErrorKind, Write};

use crate::exit::Stop;

/// Writes to stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Stop::usage(format!(
            "cannot write to stdout: {error}; name a file with --report, or free its disk"
        ))),
        _ => Ok(()),
    }
}

/// Writes a line to stderr. If nobody can read it there is nobody to tell.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
