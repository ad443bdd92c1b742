use std::io::{self, BufRead, IsTerminal};

use crate::exit::Stop;
use crate::output;

/// How often it asks again after an answer that is none.
const TRIES: u32 = 3;

/// Who answers questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Somebody at a terminal.
    Somebody,
    /// Nobody: not to be asked, or not there.
    Nobody,
}

impl Asked {
    /// With `--yes` nobody is asked; without a terminal nobody answers.
    pub(super) fn of(yes: bool) -> Self {
        let there = io::stdin().is_terminal() && io::stdout().is_terminal();
        if there && !yes { Self::Somebody } else { Self::Nobody }
    }

    /// Which of several is meant, by its number or its name; `None` where nobody says.
    pub(super) fn which<'a>(self, question: &str, several: &[&'a str]) -> Result<Option<&'a str>, Stop> {
        if self == Self::Nobody || several.is_empty() {
            return Ok(None);
        }
        let mut text = format!("{question}\n");
        for (number, name) in (1..).zip(several) {
            text += &format!("  {number}  {}\n", output::plain(name));
        }
        output::print(&text)?;
        for _ in 0..TRIES {
            let typed = answer(&format!("number or name [1-{}]: ", several.len()))?;
            let of_number = || several.get(typed.parse::<usize>().ok()?.checked_sub(1)?);
            match several.iter().find(|name| **name == typed).or_else(of_number) {
                Some(meant) => return Ok(Some(*meant)),
                // The end of what is typed, or a change of mind.
                None if typed.is_empty() => return Ok(None),
                None => output::tell(&format!("{typed:?} is none of them")),
            }
        }
        Ok(None)
    }

    /// What is typed, as it is understood; `None` where nobody says.
    pub(super) fn understood<T>(
        self,
        question: &str,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Stop> {
        if self == Self::Nobody {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let typed = answer(&format!("{question} "))?;
            if typed.is_empty() {
                return Ok(None);
            }
            match understand(&typed) {
                Ok(meant) => return Ok(Some(meant)),
                Err(why) => output::tell(&why),
            }
        }
        Ok(None)
    }

    /// Whether it is to be done; not where nobody says so.
    pub(super) fn agrees(self, question: &str) -> Result<bool, Stop> {
        if self == Self::Nobody {
            return Ok(false);
        }
        Ok(matches!(answer(&format!("\n{question} [y/N] "))?.to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

fn answer(question: &str) -> Result<String, Stop> {
    output::print(question)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| Stop::usage(format!("no answer: {error}")))?;
    Ok(answer.trim().to_owned())
}
