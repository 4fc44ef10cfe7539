//! Numbers for people.

/// A whole number in digits, with commas between its thousands.
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (digits, wanted) in [("", ""), ("7", "7"), ("999", "999"), ("1000", "1,000"), ("12345678", "12,345,678")] {
            assert_eq!(grouped(digits), wanted);
        }
    }
}
