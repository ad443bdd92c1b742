use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use chaos_test::__cli as support;

use crate::exit::Stop;

/// Writes to stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Stop::usage(format!("cannot write to stdout: {error}; free its disk, or send it elsewhere")))
        }
        _ => Ok(()),
    }
}

/// A text of a file on one line, with nothing in it that a terminal obeys.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// A file's name, the same way.
pub(crate) fn name(path: &Path) -> String {
    plain(&path.display().to_string())
}

/// A text as a shell takes it for one word.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Writes a line to stderr. If nobody can read it there is nobody to tell.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A colour of what is told on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Good,
    Bad,
    Unsure,
}

/// The text in a colour where stdout is a terminal and nobody asked for none; elsewhere as it is.
pub(crate) fn coloured(text: &str, colour: Colour) -> String {
    let code = match colour {
        Colour::Good => 32,
        Colour::Bad => 31,
        Colour::Unsure => 33,
    };
    if io::stdout().is_terminal() && !support::no_color() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// How far something long has come: on a terminal one line that changes, elsewhere a line now and then.
pub(crate) struct Progress {
    what: &'static str,
    of: usize,
    done: usize,
    /// When it was told last. A terminal is told at once.
    told: Option<Instant>,
    /// How long from one word to the next; none is told where nobody wants any.
    every: Option<Duration>,
    on_terminal: bool,
}

impl Progress {
    #[allow(clippy::disallowed_methods, reason = "what is told, and nothing that is measured")]
    pub(crate) fn new(what: &'static str, of: usize, quiet: bool) -> Self {
        let on_terminal = io::stderr().is_terminal();
        let every = if on_terminal { Duration::from_millis(100) } else { Duration::from_secs(10) };
        let told = (!on_terminal).then(Instant::now);
        Self { what, of, done: 0, told, every: (!quiet).then_some(every), on_terminal }
    }

    /// One more is done.
    #[allow(clippy::disallowed_methods, reason = "what is told, and nothing that is measured")]
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.every.is_some_and(|every| self.told.is_none_or(|told| told.elapsed() >= every)) {
            self.told = Some(Instant::now());
            let end = if self.on_terminal { "\x1b[K\r" } else { "\n" };
            let _ = write!(io::stderr().lock(), "{} {} of {}{end}", self.what, self.done, self.of);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.on_terminal && self.every.is_some() {
            let _ = write!(io::stderr().lock(), "\x1b[K");
        }
    }
}
