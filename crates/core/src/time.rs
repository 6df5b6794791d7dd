//! Moments and lengths of time as the bundle writes them (floor 0). No clock: moments are inputs.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

use crate::quote;

/// A moment, written as RFC 3339 in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(jiff::Timestamp);

/// A length of time in whole seconds, written as `90d`, `36h`, `1h30m` or `45s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

/// A moment or a length of time that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not a moment.
    #[error("{} is not a date or time: write `2026-11-24` or `2026-11-24T06:00:00Z`", quote::word(.0))]
    Moment(String),
    /// Not a length of time.
    #[error("{} is not a length of time: write whole numbers with s, m, h, d or w, such as `90d` or `1h30m`", quote::word(.0))]
    Span(String),
}

impl Time {
    /// A moment from seconds since 1970-01-01T00:00:00Z; the nearest one that can be written if it is out of range.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        let bounded = seconds.clamp(-377_705_000_000, 253_402_000_000);
        Self(jiff::Timestamp::from_second(bounded).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// The seconds from `earlier` to this moment; 0 if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(u64::try_from(self.unix() - earlier.unix()).unwrap_or(0))
    }

    /// The moment `span` later.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self::from_unix(self.unix().saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// The day and time as a person reads them, such as `24 Nov 2026, 06:00 UTC`.
    #[must_use]
    pub fn human(self) -> String {
        self.0.strftime("%-d %b %Y, %H:%M UTC").to_string()
    }

    /// The day as a person reads it, such as `24 Nov 2026`.
    #[must_use]
    pub fn day(self) -> String {
        self.0.strftime("%-d %b %Y").to_string()
    }
}

impl Span {
    /// A length in days.
    #[must_use]
    pub const fn days(days: u64) -> Self {
        Self(days * 86_400)
    }

    /// The length as a person reads it, in its two largest units: `8 days`, `3 h 10 min`.
    #[must_use]
    pub fn human(self) -> String {
        let units = [(86_400, " day", " days"), (3_600, " h", " h"), (60, " min", " min"), (1, " s", " s")];
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (size, one, many) in units {
            let count = rest / size;
            rest %= size;
            if count > 0 && parts.len() < 2 {
                parts.push(format!("{count}{}", if count == 1 { one } else { many }));
            }
        }
        if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
    }
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_unix(at.as_second()));
        }
        let day: jiff::civil::Date = text.parse().map_err(|_| TimeError::Moment(text.to_owned()))?;
        let at = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| TimeError::Moment(text.to_owned()))?;
        Ok(Self::from_unix(at.timestamp().as_second()))
    }
}

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Span(text.to_owned());
        let (mut total, mut number, mut parts) = (0_u64, None::<u64>, 0);
        for c in text.trim().chars() {
            if let Some(digit) = c.to_digit(10) {
                let grown = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(digit)));
                number = Some(grown.ok_or_else(wrong)?);
                continue;
            }
            let unit = match c {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                'w' => 604_800,
                _ => return Err(wrong()),
            };
            let part = number.take().and_then(|n| n.checked_mul(unit)).ok_or_else(wrong)?;
            total = total.checked_add(part).ok_or_else(wrong)?;
            parts += 1;
        }
        if number.is_some() || parts == 0 { Err(wrong()) } else { Ok(Self(total)) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (size, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
            if rest / size > 0 {
                write!(f, "{}{unit}", rest / size)?;
            }
            rest %= size;
        }
        Ok(())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "RFC 3339, or a day", "examples": ["2026-11-24T06:00:00Z"] })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9]+[smhdw])+$", "examples": ["90d", "1h30m"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_they_are_written() {
        for text in ["90d", "1h30m", "45s", "0s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("2w".parse::<Span>(), Ok(Span::days(14)));
        for text in ["", "h", "10", "5x", "99999999999999999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_its_first_moment() {
        assert_eq!("2026-10-02".parse::<Time>().unwrap().to_string(), "2026-10-02T00:00:00Z");
        assert!("yesterday".parse::<Time>().is_err());
    }

    #[test]
    fn people_read_two_units() {
        assert_eq!(Span(11_400).human(), "3 h 10 min");
        assert_eq!(Span::days(8).human(), "8 days");
    }
}
