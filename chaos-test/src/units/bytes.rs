use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnitError, number_and_suffix};

/// A number of bytes, written `256M`, `1G`, `64KiB` or as a plain number.
///
/// Suffixes are powers of 1024, as `dd`, `docker` and the memory cgroup read them.
///
/// ```
/// use chaos_test::units::ByteSize;
/// let size: ByteSize = "256M".parse().unwrap();
/// assert_eq!(size.bytes(), 256 * 1024 * 1024);
/// assert_eq!(size.to_string(), "256 MiB");
/// assert!("256Q".parse::<ByteSize>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ByteSize(u64);

const SUFFIXES: [(&str, u32); 4] = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];

impl ByteSize {
    /// A size of that many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let expected = || UnitError(format!("expected a size such as \"256M\" or \"1G\", found `{text}`"));
        let (number, suffix) = number_and_suffix(text).ok_or_else(expected)?;
        let letter = suffix.strip_suffix("iB").or_else(|| suffix.strip_suffix(['b', 'B'])).unwrap_or(suffix);
        let shift =
            match letter {
                "" => 0,
                letter => SUFFIXES
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(letter))
                    .ok_or_else(|| {
                        UnitError(format!(
                            "unknown size suffix `{suffix}` in `{text}`: use K, M, G or T (powers of 1024)"
                        ))
                    })?
                    .1,
            };
        let bytes = number * (1_u64 << shift) as f64;
        if bytes < 1.0 || bytes >= u64::MAX as f64 {
            return Err(UnitError(format!(
                "expected a size of at least 1 byte and less than 16 EiB, found `{text}`"
            )));
        }
        Ok(Self(bytes as u64))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, shift) in SUFFIXES.iter().rev() {
            let unit = 1_u64 << shift;
            if self.0 >= unit {
                let number = (self.0 as f64 / unit as f64 * 100.0).round() / 100.0;
                return write!(f, "{number} {name}iB");
            }
        }
        write!(f, "{} B", self.0)
    }
}
