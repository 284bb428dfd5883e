//! Amounts: credits, minor units of money, currencies. Integers only; never negative.

use std::fmt;
use std::str::FromStr;

/// The largest amount that may be written down anywhere: 2^53 − 1, exact in every JSON reader.
pub const AMOUNT_MAX: i64 = (1 << 53) - 1;

/// Micro-credits in one credit.
pub const MICRO_PER_CREDIT: i64 = 1_000_000;

pub(crate) const CREDIT_DECIMALS: usize = 6;

/// Why a text or a number is not an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not a plain decimal number such as `14.25`.
    Malformed {
        /// What was given, shortened.
        found: Box<str>,
    },
    /// More decimals than the unit has.
    TooFine {
        /// How many decimals the unit has.
        decimals: usize,
    },
    /// A fraction such as 1/3 that has no exact decimal form in the unit.
    Inexact {
        /// What was given, shortened.
        found: Box<str>,
    },
    /// Above [`AMOUNT_MAX`].
    TooLarge,
    /// Not three capital letters.
    Currency {
        /// What was given, shortened.
        found: Box<str>,
    },
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { found } => {
                write!(f, "a decimal amount such as 14.25 needed, {found:?} found")
            }
            Self::TooFine { decimals } => write!(f, "at most {decimals} decimals allowed"),
            Self::Inexact { found } => write!(f, "{found:?} has no exact amount of at most 6 decimals"),
            Self::TooLarge => write!(f, "amounts go up to {AMOUNT_MAX} of the smallest unit"),
            Self::Currency { found } => {
                write!(f, "a currency of three capital letters needed, {found:?} found")
            }
        }
    }
}

impl std::error::Error for AmountError {}

fn shortened(text: &str) -> Box<str> {
    text.chars().take(32).collect::<String>().into()
}

/// Parses a plain decimal with at most `decimals` decimals into the smallest unit.
fn parse_decimal(text: &str, decimals: usize) -> Result<i64, AmountError> {
    let malformed = || AmountError::Malformed { found: shortened(text) };
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(malformed()),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(malformed());
    }
    if fraction.len() > decimals {
        return Err(AmountError::TooFine { decimals });
    }
    let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
    let mut amount: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        amount = amount
            .checked_mul(10)
            .and_then(|amount| amount.checked_add(i64::from(digit - b'0')))
            .filter(|amount| *amount <= AMOUNT_MAX)
            .ok_or(AmountError::TooLarge)?;
    }
    Ok(amount)
}

/// Writes `amount` with its decimals; with `shortest`, without trailing zeros.
pub(crate) fn write_decimal(f: &mut fmt::Formatter<'_>, amount: u128, decimals: usize, shortest: bool) -> fmt::Result {
    let unit = 10u64.pow(u32::try_from(decimals).expect("units have at most six decimals"));
    // Nearly all amounts are small: a division of 128 bits takes as long as the rest.
    let (whole, mut fraction) = match u64::try_from(amount) {
        Ok(amount) => (u128::from(amount / unit), amount % unit),
        Err(_) => (amount / u128::from(unit), (amount % u128::from(unit)) as u64),
    };
    if decimals == 0 || (shortest && fraction == 0) {
        return write!(f, "{whole}");
    }
    let mut digits = [b'0'; CREDIT_DECIMALS];
    for digit in digits[..decimals].iter_mut().rev() {
        *digit += (fraction % 10) as u8;
        fraction /= 10;
    }
    let digits = std::str::from_utf8(&digits[..decimals]).expect("digits are ASCII");
    let digits = if shortest { digits.trim_end_matches('0') } else { digits };
    write!(f, "{whole}.{digits}")
}

/// An amount of credits, in micro-credits. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credits {
    micro: i64,
}

impl Credits {
    /// No credits.
    pub const ZERO: Self = Self { micro: 0 };

    /// Returns that many whole credits.
    #[must_use]
    pub const fn whole(credits: u32) -> Self {
        Self { micro: credits as i64 * MICRO_PER_CREDIT }
    }

    /// Returns that many micro-credits, or `None` for a negative number.
    #[must_use]
    pub const fn from_micro(micro: i64) -> Option<Self> {
        if micro < 0 { None } else { Some(Self { micro }) }
    }

    /// Returns the amount in micro-credits.
    #[must_use]
    pub const fn micro(self) -> i64 {
        self.micro
    }

    /// Returns whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.micro == 0
    }

    /// Returns the sum, or `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.micro.checked_add(other.micro) {
            Some(micro) => Some(Self { micro }),
            None => None,
        }
    }

    /// Returns the difference, or `None` if `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_micro(self.micro - other.micro)
    }

    /// Returns `times` this amount, or `None` above [`AMOUNT_MAX`].
    #[must_use]
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        let micro = self.micro.checked_mul(i64::from(times))?;
        (micro <= AMOUNT_MAX).then_some(Self { micro })
    }

    /// Parses a price: a decimal such as `0.25` or a fraction such as `1/4`.
    ///
    /// # Errors
    /// [`AmountError::Inexact`] for a fraction such as `1/3` that micro-credits cannot state exactly, and what
    /// [`FromStr`] says of decimals.
    pub fn parse_price(text: &str) -> Result<Self, AmountError> {
        let Some((numerator, denominator)) = text.split_once('/') else {
            return text.parse();
        };
        let malformed = || AmountError::Malformed { found: shortened(text) };
        let numerator: Self = numerator.parse()?;
        let denominator: i64 = denominator.parse().map_err(|_| malformed())?;
        if denominator <= 0 {
            return Err(malformed());
        }
        if numerator.micro % denominator != 0 {
            return Err(AmountError::Inexact { found: shortened(text) });
        }
        Ok(Self { micro: numerator.micro / denominator })
    }
}

impl FromStr for Credits {
    type Err = AmountError;

    /// Parses a plain decimal of at most six decimals: `"15"`, `"14.25"`.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        parse_decimal(text, CREDIT_DECIMALS).map(|micro| Self { micro })
    }
}

impl fmt::Display for Credits {
    /// Writes the shortest exact decimal: `15`, `14.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.micro.unsigned_abs().into(), CREDIT_DECIMALS, true)
    }
}

/// An amount of money in the minor unit of some currency. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cents {
    minor: i64,
}

impl Cents {
    /// No money.
    pub const ZERO: Self = Self { minor: 0 };

    /// Returns that many minor units, or `None` for a negative number.
    #[must_use]
    pub const fn from_minor(minor: i64) -> Option<Self> {
        if minor < 0 { None } else { Some(Self { minor }) }
    }

    /// Returns the amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// Returns whether there is none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Returns the sum, or `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.minor.checked_add(other.minor) {
            Some(minor) => Some(Self { minor }),
            None => None,
        }
    }

    /// Returns the difference, or `None` if `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_minor(self.minor - other.minor)
    }

    /// Returns `times` this amount, or `None` above [`AMOUNT_MAX`].
    #[must_use]
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i64::from(times))?;
        (minor <= AMOUNT_MAX).then_some(Self { minor })
    }
}

impl fmt::Display for Cents {
    /// Writes the number of minor units; [`Money`] knows the decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.minor)
    }
}

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");

    /// Returns the code of three capital letters, or `None` if these are not.
    #[must_use]
    pub fn from_bytes(code: [u8; 3]) -> Option<Self> {
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// Returns the three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is made of ASCII letters")
    }

    /// Returns the three letters as bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 3] {
        self.0
    }

    /// Returns how many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn minor_digits(&self) -> usize {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        <[u8; 3]>::try_from(text.as_bytes())
            .ok()
            .and_then(Self::from_bytes)
            .ok_or_else(|| AmountError::Currency { found: shortened(text) })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of money with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// How much, in minor units.
    pub amount: Cents,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// Returns `amount` of `currency`.
    #[must_use]
    pub const fn new(amount: Cents, currency: Currency) -> Self {
        Self { amount, currency }
    }
}

impl FromStr for Money {
    type Err = AmountError;

    /// Parses `15.00 USD`, or `$15.00` for US dollars.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (number, currency) = match (text.strip_prefix('$'), text.split_once(' ')) {
            (Some(number), _) => (number, Currency::USD),
            (None, Some((number, currency))) => (number, currency.parse()?),
            (None, None) => return Err(AmountError::Malformed { found: shortened(text) }),
        };
        let minor = parse_decimal(number, currency.minor_digits())?;
        Ok(Self { amount: Cents { minor }, currency })
    }
}

impl fmt::Display for Money {
    /// Writes `15.00 USD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.amount.minor.unsigned_abs().into(), self.currency.minor_digits(), false)?;
        write!(f, " {}", self.currency)
    }
}

/// Writes a signed amount of micro-credits: `-14.25`.
pub(crate) struct SignedCredits(pub(crate) i64);

impl fmt::Display for SignedCredits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 < 0 { "-" } else { "" })?;
        write_decimal(f, self.0.unsigned_abs().into(), CREDIT_DECIMALS, true)
    }
}

/// Writes a signed amount of money: `-15.00 USD`.
pub(crate) struct SignedMoney(pub(crate) i64, pub(crate) Currency);

impl fmt::Display for SignedMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 < 0 { "-" } else { "" })?;
        write_decimal(f, self.0.unsigned_abs().into(), self.1.minor_digits(), false)?;
        write!(f, " {}", self.1)
    }
}

#[cfg(test)]
mod tests;
