//! The parts of an Amazon Resource Name: `arn:partition:service:region:account:resource`.

/// The six parts of an ARN; the last may hold further colons (IAM User Guide, `reference-arns`).
pub(super) fn parts(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let six = [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    Some(six)
}

/// The account in an ARN, if it names one.
pub(super) fn account(text: &str) -> Option<&str> {
    let [arn, _, _, _, account, _] = parts(text)?;
    (arn == "arn" && is_account(account)).then_some(account)
}

/// Whether this is an account id: twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
