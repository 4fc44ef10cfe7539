//! Addresses, checked as SES checks them before it takes a mail.

use super::Error;

/// The address alone, without a name before it: `a@b.c` of `Somebody <a@b.c>`.
pub fn bare(address: &str) -> &str {
    match (address.rfind('<'), address.rfind('>')) {
        (Some(from), Some(to)) if from < to => address[from + 1..to].trim(),
        _ => address.trim(),
    }
}

/// Says what is wrong with an address, in the words of SES.
pub(super) fn check(address: &str) -> Result<(), Error> {
    let fail = |text| Err(Error::Address(text));
    if address.len() > 2_048 || address.contains(['\r', '\n', '\0']) {
        return fail("Illegal address");
    }
    if address.matches('<').count() > 1 || address.matches('>').count() > 1 {
        return fail("Extra '<' or '>'");
    }
    if address.contains('<') != address.contains('>') {
        return fail("Missing '<' or '>'");
    }
    let address = bare(address);
    let Some((local, domain)) = address.rsplit_once('@') else { return fail("Missing final '@domain'") };
    if domain.is_empty() {
        return fail("Missing domain");
    }
    if domain.starts_with('.') {
        return fail("Domain starts with dot");
    }
    if domain.ends_with('.') {
        return fail("Domain ends with dot");
    }
    if domain.contains("..") {
        return fail("Domain contains dot-dot");
    }
    if !is_domain(domain) {
        return fail("Domain contains illegal character");
    }
    if local.is_empty() {
        return fail("Missing local name");
    }
    if local.chars().any(|c| c.is_whitespace() || c.is_control()) && !local.starts_with('"') {
        return fail("Local address contains control or whitespace");
    }
    if !local.is_ascii() {
        return fail("Local address contains non-ASCII characters");
    }
    if local.contains(['(', ')', ',', ':', ';', '[', ']', '\\', '@']) && !local.starts_with('"') {
        return fail("Local address contains illegal character");
    }
    if local.len() > 64 || domain.len() > 255 {
        return fail("Illegal address");
    }
    Ok(())
}

/// Whether the text can be the name of a domain; letters of all languages are fine.
pub(super) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    !text.is_empty() && text.len() <= 255 && text.split('.').all(label)
}
