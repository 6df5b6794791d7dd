//! The operations that may pass, as they are written down (floor 4).

/// One read operation of a provider, as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The provider's name of it, which for AWS is the IAM action too: `rds:DescribeDBInstances`.
    pub operation: &'static str,
    /// How it is told from others.
    pub shape: Shape,
}

/// What makes a request this operation and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `POST /` of a form in which `Action` and `Version` have these values (the AWS query protocol).
    Form {
        /// The operation's name.
        action: &'static str,
        /// The version of the service's interface.
        version: &'static str,
    },
    /// `POST /` with this `X-Amz-Target` (the AWS JSON protocols).
    Target(&'static str),
    /// `POST` of a JSON body to this path.
    Post(&'static str),
    /// `GET` of a path, in which `{}` is one segment, with this query key; empty: none is needed.
    Get {
        /// The path.
        path: &'static str,
        /// The query key.
        query: &'static str,
    },
    /// `POST` to this path of one GraphQL document, to the letter. Its variables are free; beside both, nothing is in
    /// the body.
    Document {
        /// The path.
        path: &'static str,
        /// The document: one operation, and that a query.
        text: &'static str,
    },
    /// `GET` of a path, in which `{}` is one segment of plain characters, with no other query keys than these. A verb may stand
    /// behind a `:` at its end.
    Rest {
        /// The path.
        path: &'static str,
        /// The query keys that may be there.
        keys: &'static [&'static str],
    },
    /// A form as above of no other fields than these, whose `RoleArn` is one that the user named: it is answered with
    /// credentials of that role, and changes nothing.
    Assume {
        /// The operation's name.
        action: &'static str,
        /// The version of the service's interface.
        version: &'static str,
        /// The fields beside both.
        fields: &'static [&'static str],
    },
    /// A form of these four fields: `Action` and `Version` with these values, `DryRun`, which is `true`, and one that names a
    /// resource. It is answered with whether it would go through, and changes nothing. Sent only where the user says so.
    DryRun {
        /// The operation's name.
        action: &'static str,
        /// The version of the service's interface.
        version: &'static str,
        /// The field that names the resource.
        field: &'static str,
    },
    /// `POST` to this path of a review of Kubernetes: an object of this version and kind with a `spec` of these fields and
    /// nothing beside. It is answered and not stored.
    Review {
        /// The path below that of the server.
        path: &'static str,
        /// The version of its group.
        version: &'static str,
        /// Its kind.
        kind: &'static str,
        /// The fields that its `spec` may have, those of an object in it among them.
        fields: &'static [&'static str],
    },
    /// `POST` to a path of one JSON object, in which nothing but permissions is listed: which of them its sender has on what the
    /// path names (IAM of Google Cloud). It is answered and not stored.
    Permissions {
        /// The path, with `{}` for a segment.
        path: &'static str,
    },
    /// `POST` to this path of a form in which a statement that its sender signed is shown for a token of the sender's own (RFC
    /// 7523): nothing else is in it.
    Signed {
        /// The path.
        path: &'static str,
    },
    /// A `GET` of this path that is answered with credentials: the query has these keys, whose values, put together with a
    /// `/`, are what the user named.
    Issue {
        /// The path.
        path: &'static str,
        /// The query keys, in order.
        keys: &'static [&'static str],
    },
}

impl Read {
    /// A REST operation: a `GET` of this path with no other query keys than these.
    #[must_use]
    pub const fn rest(operation: &'static str, path: &'static str, keys: &'static [&'static str]) -> Self {
        Self { operation, shape: Shape::Rest { path, keys } }
    }

    /// The path and the text of a GraphQL document.
    #[must_use]
    pub const fn document(&self) -> Option<(&'static str, &'static str)> {
        match self.shape {
            Shape::Document { path, text } => Some((path, text)),
            Shape::Form { .. }
            | Shape::Target(_)
            | Shape::Get { .. }
            | Shape::Post(_)
            | Shape::Rest { .. }
            | Shape::Assume { .. }
            | Shape::DryRun { .. }
            | Shape::Permissions { .. }
            | Shape::Review { .. }
            | Shape::Signed { .. }
            | Shape::Issue { .. } => None,
        }
    }

    /// Whether it is answered with credentials.
    #[must_use]
    pub const fn issues(&self) -> bool {
        matches!(self.shape, Shape::Assume { .. } | Shape::Issue { .. } | Shape::Signed { .. })
    }

    /// Whether it is a review, which is asked of servers that the user named.
    #[must_use]
    pub const fn reviews(&self) -> bool {
        matches!(self.shape, Shape::Review { .. })
    }

    /// Whether it asks which permissions its sender has, in the body of a `POST`.
    #[must_use]
    pub const fn asks_permissions(&self) -> bool {
        matches!(self.shape, Shape::Permissions { .. })
    }

    /// Whether it is a call that would change something, made as a dry run.
    #[must_use]
    pub const fn proves(&self) -> bool {
        matches!(self.shape, Shape::DryRun { .. })
    }

    /// The path of a REST operation, of a review or of a question about permissions, with `{}` for a segment.
    #[must_use]
    pub const fn path(&self) -> Option<&'static str> {
        match self.shape {
            Shape::Rest { path, .. }
            | Shape::Review { path, .. }
            | Shape::Permissions { path }
            | Shape::Signed { path } => Some(path),
            Shape::Form { .. }
            | Shape::Target(_)
            | Shape::Get { .. }
            | Shape::Post(_)
            | Shape::Document { .. }
            | Shape::Assume { .. }
            | Shape::DryRun { .. }
            | Shape::Issue { .. } => None,
        }
    }
}
