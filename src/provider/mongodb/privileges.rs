//! What `connectionStatus` says a login may do: the actions that destroy, by where they hold, and whether that is all. An
//! action that is not known to change nothing leaves in doubt whatever it holds for.
//!
//! <https://www.mongodb.com/docs/manual/reference/privilege-actions/>, `resource-document`, `built-in-roles`.

use crate::readonly::bson::Document;

/// Where an action holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Every database, or the server itself.
    Everywhere,
    /// One database.
    Database(String),
    /// A collection of one database.
    Inside(String),
    /// A collection of this name in whichever database.
    Anywhere,
}

/// What the privileges come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    /// Operations of the catalogue, with the action that allows each, and where it holds.
    pub(super) destroys: Vec<(&'static str, &'static str, Place)>,
    /// Databases whose roles the login may give to anybody, itself among them; nothing: all.
    pub(super) gives: Vec<Option<String>>,
    /// Actions that are not known to change nothing, and where they hold.
    pub(super) more: Vec<(String, Place)>,
    /// Whether every database is listed for the login.
    pub(super) lists_all: bool,
}

/// Every operation of the catalogue, with the action that allows it.
pub(super) const ACTIONS: [(&str, &str); 5] = [
    ("dropDatabase", "dropDatabase"),
    ("drop", "dropCollection"),
    ("delete", "remove"),
    ("update", "update"),
    ("convertToCapped", "convertToCapped"),
];

/// Databases of the server itself. A privilege for the collections of all databases does not hold in the last two.
pub(super) const OWN: [&str; 3] = ["admin", "config", "local"];

/// Actions that change nothing, and those that change users and roles, of which none gains anybody anything by itself: what is
/// given by them, `grantRole` has to allow.
const HARMLESS: [&str; 55] = [
    "allCollectionStats",
    "analyzeShardKey",
    "changeOwnCustomData",
    "changeOwnPassword",
    "changeStream",
    "checkMetadataConsistency",
    "collStats",
    "connPoolStats",
    "createRole",
    "createUser",
    "dbHash",
    "dbStats",
    "dropRole",
    "dropUser",
    "find",
    "getChangeStreamState",
    "getClusterParameter",
    "getCmdLineOpts",
    "getDatabaseVersion",
    "getDefaultRWConcern",
    "getLog",
    "getParameter",
    "getShardMap",
    "getShardVersion",
    "hostInfo",
    "indexStats",
    "inprog",
    "issueDirectShardOperations",
    "killAnyCursor",
    "killCursors",
    "listCachedAndActiveUsers",
    "listClusterCatalog",
    "listCollections",
    "listDatabases",
    "listIndexes",
    "listSampledQueries",
    "listSearchIndexes",
    "listSessions",
    "listShards",
    "netstat",
    "operationMetrics",
    "planCacheRead",
    "queryStatsRead",
    "queryStatsReadTransformed",
    "replSetGetConfig",
    "replSetGetStatus",
    "revokeRole",
    "serverStatus",
    "setAuthenticationRestriction",
    "shardedDataDistribution",
    "shardingState",
    "storageDetails",
    "top",
    "useUUID",
    "viewRole",
];

/// Collections of the server's own whose content lets nobody in.
const PLAIN: [&str; 4] = ["system.js", "system.profile", "system.views", "system.namespaces"];

/// Reads the privileges of a login; nothing, where they are not as documented, or none are told.
pub(super) fn read(told: &[&Document]) -> Option<Rights> {
    let mut rights = Rights::default();
    for privilege in told {
        let resource = privilege.document("resource")?;
        let holds = Holds::read(resource);
        for action in privilege.texts("actions")? {
            holds.take(action, &mut rights);
        }
    }
    rights.more.sort();
    rights.more.dedup();
    (!told.is_empty()).then_some(rights)
}

/// A resource: where it is, and whether what stands there may let somebody in.
struct Holds {
    place: Place,
    telling: bool,
    /// Nothing of the databases themselves: what concerns the server.
    cluster: bool,
    /// Nothing that is known.
    odd: bool,
}

impl Holds {
    fn read(resource: &Document) -> Self {
        let of = |place, telling| Self { place, telling, cluster: false, odd: false };
        let database = |name: &str, whole: bool| match (name, whole) {
            ("", true) => Place::Everywhere,
            ("", false) => Place::Anywhere,
            (name, true) => Place::Database(name.to_owned()),
            (name, false) => Place::Inside(name.to_owned()),
        };
        let names: Vec<&str> = resource.0.iter().map(|(name, _)| name.as_str()).collect();
        match names.as_slice() {
            ["cluster"] if resource.flag("cluster") => Self { cluster: true, ..of(Place::Everywhere, false) },
            ["anyResource"] if resource.flag("anyResource") => of(Place::Everywhere, true),
            ["db", "collection"] | ["collection", "db"] => match (resource.text("db"), resource.text("collection")) {
                (Some(name), Some("")) => of(database(name, true), name == "local"),
                (Some(name), Some(inside)) => {
                    let telling = name == "local" || inside.starts_with("system.") && !PLAIN.contains(&inside);
                    of(database(name, false), telling)
                }
                _ => Self { odd: true, ..of(Place::Everywhere, true) },
            },
            // What a time series is kept in.
            ["db", "system_buckets"] | ["system_buckets", "db"] if resource.text("db").is_some() => {
                of(database(resource.text("db").unwrap_or_default(), false), false)
            }
            _ => Self { odd: true, ..of(Place::Everywhere, true) },
        }
    }

    fn take(&self, action: &str, rights: &mut Rights) {
        let own = match &self.place {
            Place::Database(name) | Place::Inside(name) => OWN.contains(&name.as_str()),
            Place::Everywhere | Place::Anywhere => false,
        };
        let whole = matches!(self.place, Place::Everywhere | Place::Database(_));
        let mut doubt = |place: Place| rights.more.push((action.to_owned(), place));
        if self.odd {
            doubt(Place::Everywhere);
        } else if own && matches!(action, "anyAction" | "grantRole") && !self.of_admin() {
            // What holds the server together stands there, and roles of it are none that are known.
            doubt(Place::Everywhere);
        } else if action == "anyAction" && !self.cluster && !whole {
            // A database is dropped, and roles are given, by whoever may do it to the whole of it.
            doubt(if own || self.telling { Place::Everywhere } else { self.place.clone() });
            let of_it = ACTIONS.iter().filter(|(operation, _)| *operation != "dropDatabase" && !own);
            rights.destroys.extend(of_it.map(|(operation, _)| (*operation, "anyAction", self.place.clone())));
        } else if action == "anyAction" && !self.cluster {
            rights.destroys.extend(ACTIONS.map(|(operation, _)| (operation, "anyAction", self.place.clone())));
            rights.lists_all |= self.place == Place::Everywhere;
            self.gives(rights);
        } else if action == "grantRole" && whole {
            self.gives(rights);
        } else if let Some((operation, action)) = ACTIONS.iter().find(|(_, known)| *known == action) {
            // A database is dropped by whoever may drop it, whole.
            if own || self.cluster || self.telling && *action != "dropDatabase" {
                doubt(Place::Everywhere);
            }
            if !own && !self.cluster && (whole || *operation != "dropDatabase") {
                rights.destroys.push((operation, action, self.place.clone()));
            }
        } else if !HARMLESS.contains(&action) {
            // An insert may push the oldest out of a capped collection; an index may let documents end.
            doubt(if own { Place::Everywhere } else { self.place.clone() });
        } else if action == "find" && self.telling {
            // What proves passwords stands there.
            doubt(Place::Everywhere);
        } else {
            rights.lists_all |= action == "listDatabases" && self.place == Place::Everywhere;
        }
    }

    /// Whether it is the database whose roles reach everything.
    fn of_admin(&self) -> bool {
        matches!(&self.place, Place::Database(name) if name == "admin")
    }

    /// Notes the roles that may be given. Those of `admin` reach everything.
    fn gives(&self, rights: &mut Rights) {
        let of = match &self.place {
            Place::Database(name) if name != "admin" => Some(name.clone()),
            Place::Everywhere | Place::Anywhere | Place::Database(_) | Place::Inside(_) => None,
        };
        if !rights.gives.contains(&of) {
            rights.gives.push(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readonly::bson::Value;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn privilege(resource: &[(&str, Value)], actions: &[&str]) -> Document {
        let resource = resource.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let actions = actions.iter().map(|action| text(action)).collect();
        Document(vec![
            ("resource".to_owned(), Value::Document(Document(resource))),
            ("actions".to_owned(), Value::List(actions)),
        ])
    }

    fn at(database: &str, collection: &str, actions: &[&str]) -> Rights {
        read(&[&privilege(&[("db", text(database)), ("collection", text(collection))], actions)]).unwrap()
    }

    /// What holds a server together is never left without a doubt, and one collection gives no roles.
    #[test]
    fn rights_to_the_servers_own_and_to_one_collection() {
        for name in ["config", "local"] {
            for action in ["anyAction", "grantRole"] {
                let rights = at(name, "", &[action]);
                assert_eq!(rights.more, [(action.to_owned(), Place::Everywhere)], "{name} {action}");
                assert!(rights.destroys.is_empty() && rights.gives.is_empty(), "{name} {action}");
            }
        }
        assert_eq!(at("admin", "", &["grantRole"]).gives, [None]);
        let inside = at("shop", "orders", &["anyAction"]);
        assert!(
            inside.gives.is_empty() && inside.destroys.iter().all(|(operation, _, _)| *operation != "dropDatabase")
        );
        assert_eq!(inside.destroys.len(), ACTIONS.len() - 1);
        assert_eq!(inside.more, [("anyAction".to_owned(), Place::Inside("shop".to_owned()))]);
        assert_eq!(at("admin", "system.users", &["anyAction"]).more, [("anyAction".to_owned(), Place::Everywhere)]);
    }

    #[test]
    fn what_reads_is_no_right_and_no_doubt() {
        let reader = ["changeStream", "collStats", "dbHash", "dbStats", "find", "killCursors", "listCollections"];
        assert_eq!(at("shop", "", &reader), Rights::default());
        assert_eq!(at("", "", &reader), Rights::default());
        assert_eq!(at("shop", "system.js", &reader), Rights::default());
        let cluster = read(&[&privilege(&[("cluster", Value::Flag(true))], &["listDatabases"])]).unwrap();
        assert_eq!(cluster, Rights { lists_all: true, ..Rights::default() });
    }

    #[test]
    fn what_destroys_holds_where_its_resource_is() {
        let shop = Place::Database("shop".to_owned());
        assert_eq!(at("shop", "", &["remove"]).destroys, [("delete", "remove", shop.clone())]);
        assert_eq!(at("shop", "", &["dropDatabase"]).destroys, [("dropDatabase", "dropDatabase", shop)]);
        assert!(at("shop", "orders", &["dropDatabase"]).destroys.is_empty());
        let inside = Place::Inside("shop".to_owned());
        assert_eq!(at("shop", "orders", &["dropCollection"]).destroys, [("drop", "dropCollection", inside)]);
        assert_eq!(at("", "orders", &["update"]).destroys, [("update", "update", Place::Anywhere)]);
        let all = read(&[&privilege(&[("anyResource", Value::Flag(true))], &["anyAction"])]).unwrap();
        assert_eq!((all.destroys.len(), all.gives.as_slice(), all.lists_all), (ACTIONS.len(), &[None][..], true));
    }

    #[test]
    fn what_is_not_known_to_change_nothing_is_a_doubt() {
        for (database, collection, action) in [
            ("shop", "", "insert"),
            ("shop", "", "createIndex"),
            ("shop", "", "collMod"),
            ("shop", "", "changePassword"),
            ("shop", "", "viewUser"),
            ("shop", "", "someNewAction"),
            ("local", "", "find"),
            ("admin", "system.users", "find"),
            ("shop", "system.users", "find"),
            ("admin", "", "remove"),
            ("config", "", "insert"),
            ("", "", "bypassDocumentValidation"),
        ] {
            assert_eq!(at(database, collection, &[action]).more.len(), 1, "{database}.{collection} {action}");
        }
        for resource in [
            vec![],
            vec![("tenant", text("x"))],
            vec![("db", text("shop"))],
            vec![("cluster", Value::Flag(false))],
            vec![("db", Value::Number(1)), ("collection", text(""))],
        ] {
            let odd = read(&[&privilege(&resource, &["find"])]).unwrap();
            assert_eq!(odd.more, [("find".to_owned(), Place::Everywhere)], "{resource:?}");
        }
        let cluster = |action| read(&[&privilege(&[("cluster", Value::Flag(true))], &[action])]).unwrap().more.len();
        assert_eq!(["anyAction", "applyOps", "internal", "shutdown", "remove"].map(cluster), [1; 5]);
    }

    #[test]
    fn roles_are_given_by_database() {
        assert_eq!(at("shop", "", &["grantRole"]).gives, [Some("shop".to_owned())]);
        for (database, collection) in [("admin", ""), ("", "")] {
            assert_eq!(at(database, collection, &["grantRole"]).gives, [None], "{database}");
        }
    }

    #[test]
    fn what_is_not_as_documented_is_none() {
        assert!(read(&[]).is_none());
        assert!(read(&[&Document::default()]).is_none());
        let mut odd = privilege(&[("db", text("shop")), ("collection", text(""))], &[]);
        odd.0.truncate(1);
        assert!(read(&[&odd]).is_none());
    }
}
