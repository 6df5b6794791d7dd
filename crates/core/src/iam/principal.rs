//! Who calls, and whom a policy of a resource names (IAM User Guide, `reference_policies_elements_principal`).

use serde_json::Value;

use super::arn;
use super::context::{Context, Seen};

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its ARN as given.
    pub(super) arn: String,
    /// Its account.
    pub(super) account: String,
    pub(super) form: Form,
}

/// The forms of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The account's root user.
    Root,
    /// A user, by name.
    User(String),
    /// A role, by name; a session of it whose name is not given.
    Role(String),
    /// A session of a role: the role's name and the session's.
    Session(String, String),
    /// A federated user.
    Federated,
    /// Somebody of the account.
    Someone,
}

impl Caller {
    /// Reads the ARN of a user, a role, a session of a role, a federated user or an account's root.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let [_, partition, service, _, account, resource] = arn::parts(text)?;
        if !text.starts_with("arn:") || partition.is_empty() || !arn::is_account(account) {
            return None;
        }
        let last = |path: &str| path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
        let form = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => Form::Root,
            ("iam", Some(("user", path))) => Form::User(last(path)?),
            ("iam", Some(("role", path))) => Form::Role(last(path)?),
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/')?;
                if role.is_empty() || session.is_empty() {
                    return None;
                }
                Form::Session(role.to_owned(), session.to_owned())
            }
            ("sts", Some(("federated-user", name))) if !name.is_empty() => Form::Federated,
            _ => return None,
        };
        Some(Self { arn: text.to_owned(), account: account.to_owned(), form })
    }

    /// Somebody of an account, of whom nothing else is known: what hangs on who it is [depends](super::Outcome::Depends).
    /// Policies of resources are not to be asked about it, as it is none of those that they may name.
    #[must_use]
    pub fn someone(account: &str) -> Self {
        let arn = format!("arn:aws:iam::{account}:role/");
        Self { arn, account: account.to_owned(), form: Form::Someone }
    }

    /// Its account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The name of the user or role, without a path; nothing for anybody else.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.form {
            Form::User(name) | Form::Role(name) | Form::Session(name, _) => name,
            Form::Root | Form::Federated | Form::Someone => "",
        }
    }

    /// Whether it is a role that a service is linked to, which no policy of an organisation limits
    /// (Organizations User Guide, "SCP effects on permissions"; the names are reserved).
    pub(super) fn is_service_linked(&self) -> bool {
        match &self.form {
            Form::Role(name) => name.starts_with("AWSServiceRoleFor") || self.arn.contains(":role/aws-service-role/"),
            Form::Session(name, _) => name.starts_with("AWSServiceRoleFor"),
            Form::Root | Form::User(_) | Form::Federated | Form::Someone => false,
        }
    }

    /// The role behind it, by name.
    fn role(&self) -> Option<&str> {
        match &self.form {
            Form::Role(name) | Form::Session(name, _) => Some(name),
            Form::Root | Form::User(_) | Form::Federated | Form::Someone => None,
        }
    }

    /// Sets the keys that follow from who calls (`reference_policies_condition-keys`, properties of the principal).
    pub(super) fn describe(&self, context: &mut Context) {
        if self.form == Form::Someone {
            context.derive("aws:principalaccount", &self.account);
            context.derive("aws:principalisawsservice", "false");
            return;
        }
        let kind = match &self.form {
            Form::Root => "Account",
            Form::User(_) => "User",
            Form::Role(_) | Form::Session(_, _) => "AssumedRole",
            Form::Federated | Form::Someone => "FederatedUser",
        };
        context.derive("aws:principaltype", kind);
        context.derive("aws:principalaccount", &self.account);
        context.derive("aws:principalisawsservice", "false");
        match &self.form {
            Form::User(name) => {
                context.derive("aws:username", name);
                context.derive("aws:principalarn", &self.arn);
            }
            // Of a session it is the role's ARN; a path that the role has is not in the session's.
            Form::Session(role, _) => {
                let partition = self.arn.split(':').nth(1).unwrap_or("aws");
                context.derive("aws:principalarn", &format!("arn:{partition}:iam::{}:role/{role}", self.account));
            }
            Form::Root | Form::Role(_) | Form::Federated | Form::Someone => {
                context.derive("aws:principalarn", &self.arn)
            }
        }
    }
}

/// Whom a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Everyone.
    Anyone,
    /// An account as a whole.
    Account(String),
    /// One user, role or session.
    Arn(String),
    /// One user or role by its unique id, as IAM writes one that was deleted.
    Unique(String),
    /// An identity provider.
    Provider,
    /// A service, a canonical user: none of the callers here.
    Other(String),
}

/// How directly a statement names a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// It does not.
    No,
    /// Its account: whether it may is left to the account's own policies.
    Account,
    /// Its role: what limits the role limits this.
    Role,
    /// A session of its role by a name, which whoever takes the role on may choose.
    Session,
    /// Itself, or everyone.
    Itself,
}

impl Who {
    pub(super) fn names(&self, caller: &Caller, context: &Context) -> Named {
        match self {
            Self::Anyone => Named::Itself,
            Self::Account(account) if *account == caller.account => {
                if caller.form == Form::Root {
                    Named::Itself
                } else {
                    Named::Account
                }
            }
            Self::Arn(arn) if *arn == caller.arn => {
                if matches!(caller.form, Form::Role(_)) {
                    Named::Role
                } else {
                    Named::Itself
                }
            }
            Self::Arn(arn) => {
                let Some(role) = caller.role() else { return Named::No };
                // A role's name is unique in its account whatever its path, and a session's ARN has no path.
                match Caller::new(arn) {
                    Some(other) if other.account == caller.account && other.role() == Some(role) => {
                        match (&other.form, &caller.form) {
                            (Form::Role(_), _) => Named::Role,
                            (Form::Session(_, _), Form::Role(_)) => Named::Session,
                            _ => Named::No,
                        }
                    }
                    Some(_) | None => Named::No,
                }
            }
            Self::Unique(id) => match context.seen("aws:userid") {
                Seen::Values([value]) if value == id => {
                    if caller.role().is_some() {
                        Named::Role
                    } else {
                        Named::Itself
                    }
                }
                Seen::Values([value]) if value.split(':').next() == Some(id) => Named::Role,
                Seen::Values(_) | Seen::Absent | Seen::Unknown => Named::No,
            },
            Self::Account(_) | Self::Provider | Self::Other(_) => Named::No,
        }
    }
}

/// How directly a list names a caller. Whoever has a role chooses what its session is called: it is let in by a statement
/// about one session (`allow`), and escapes one that refuses it.
pub(super) fn named(list: &[Who], caller: &Caller, context: &Context, allow: bool) -> Named {
    let all = list.iter().map(|who| who.names(caller, context));
    all.filter(|how| allow || *how != Named::Session).max().unwrap_or(Named::No)
}

/// Whether a list of those left out leaves out a caller. For a session it is enough here that its role is in the list:
/// the documentation asks for role, session and account and says that AWS *might* look at each, so a refusal is not sure.
pub(super) fn left_out(list: &[Who], caller: &Caller, context: &Context, allow: bool) -> bool {
    named(list, caller, context, !allow) >= Named::Role
}

/// Reads a `Principal` element. `None`: it is none.
pub(super) fn parse_who(value: &Value) -> Option<Vec<Who>> {
    if let Value::String(text) = value {
        return (text == "*").then(|| vec![Who::Anyone]);
    }
    let mut list = Vec::new();
    for (kind, names) in value.as_object()? {
        let names: Vec<&str> = match names {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        match kind.as_str() {
            "AWS" => list.extend(names.into_iter().map(aws)),
            "Federated" => list.extend(names.iter().map(|_| Who::Provider)),
            "Service" | "CanonicalUser" => list.extend(names.into_iter().map(|name| Who::Other(name.to_owned()))),
            _ => return None,
        }
    }
    Some(list)
}

fn aws(name: &str) -> Who {
    if name == "*" {
        return Who::Anyone;
    }
    if arn::is_account(name) {
        return Who::Account(name.to_owned());
    }
    match (arn::account(name), arn::parts(name)) {
        (Some(account), Some([_, _, "iam", _, _, "root"])) => Who::Account(account.to_owned()),
        (Some(_), _) => Who::Arn(name.to_owned()),
        (None, _) => Who::Unique(name.to_owned()),
    }
}
