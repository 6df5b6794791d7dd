//! What is declared as a tool: functions with something above them, and classes (floor 2).

use super::frameworks::{self, Framework};
use super::names::{Origin, Spot};
use super::syntax::{Call, Value, last};
use super::tools::{Finder, Gate, Made, ends};

impl Finder<'_> {
    /// A function with something above it.
    pub(super) fn decorated(&mut self, spot: Spot) {
        let Some(unit) = self.code.unit(spot) else { return };
        let at = Spot { module: spot.module, unit: unit.parent.unwrap_or(0) };
        for decorator in &unit.decorators {
            let call = decorator.call().cloned();
            let callee = call.as_ref().map_or(decorator, |call| &call.callee);
            for origin in self.code.origins(at, callee) {
                let found = match &origin {
                    Origin::Package(root, chain) => frameworks::of(root, chain).and_then(|framework| {
                        Some((framework, framework.above.iter().find(|maker| ends(maker.callee, chain))?))
                    }),
                    // An agent that is made elsewhere.
                    Origin::Param(_) | Origin::Unknown(_) => self.framework_of(spot.module).and_then(|framework| {
                        let name = last(callee)?;
                        Some((framework, framework.above.iter().find(|maker| maker.callee == name)?))
                    }),
                    Origin::Unit(_)
                    | Origin::Class(..)
                    | Origin::Instance(..)
                    | Origin::Value(..)
                    | Origin::Builtin(_) => None,
                };
                let Some((framework, maker)) = found else { continue };
                let given = call.as_ref().and_then(|call| call.arg(maker.name.0, maker.name.1));
                let name = given.and_then(Value::text).map_or_else(|| unit.name.clone(), str::to_owned);
                let by = Call {
                    callee: callee.clone(),
                    args: call.as_ref().map(|call| call.args.clone()).unwrap_or_default(),
                    line: call.as_ref().map_or(unit.line.saturating_sub(1), |call| call.line),
                    inner: false,
                    under: None,
                };
                // Two of one framework above one function declare one tool.
                let same = self.by_place.get(&(spot.module, unit.line)).cloned().unwrap_or_default();
                let mut again = false;
                for number in same {
                    if let Some(made) = self.made.get_mut(number).filter(|made| made.framework.id == framework.id) {
                        again = true;
                        // Who executes a tool is who asks; of two either may.
                        if maker.callee == "register_for_execution" {
                            let executes = |(_, by): &(Spot, Call)| last(&by.callee) == Some("register_for_execution");
                            if made.by.as_ref().is_some_and(executes) {
                                made.set = Some((Gate::Unknown, "one of two agents that execute it", by.line));
                            }
                            made.by = Some((at, by.clone()));
                        }
                    }
                }
                if again {
                    continue;
                }
                self.add(Made {
                    framework,
                    spot,
                    line: unit.line,
                    name,
                    runs: vec![spot],
                    ready: None,
                    by: Some((at, by)),
                    carriers: Vec::new(),
                    lost: false,
                    set: None,
                });
            }
        }
    }

    /// A class that is a tool.
    pub(super) fn class(&mut self, module: usize, class: usize) {
        let Some((file, own)) = self.code.modules.get(module).and_then(|file| Some((file, file.classes.get(class)?)))
        else {
            return;
        };
        let spot = Spot { module, unit: 0 };
        let found = own.bases.iter().flat_map(|base| self.code.origins(spot, base)).find_map(|origin| {
            let Origin::Package(root, chain) = origin else { return None };
            let framework = frameworks::of(&root, &chain)?;
            let several = ends("BaseToolSpec", &chain);
            (several || framework.bases.0.iter().any(|base| ends(base, &chain))).then_some((framework, several))
        });
        let Some((framework, several)) = found else { return };
        if several {
            return self.spec(module, class, framework);
        }
        let named = own.fields.get("name").and_then(Value::text).map(str::to_owned).or_else(|| {
            // `super().__init__(name="…")`
            let units = own.methods.iter().filter_map(|unit| file.units.get(*unit));
            units
                .flat_map(|unit| &unit.calls)
                .filter(|call| last(&call.callee) == Some("__init__"))
                .find_map(|call| call.named("name").and_then(Value::text).map(str::to_owned))
        });
        let runs: Vec<Spot> = (own.methods.iter())
            .filter(|unit| file.units.get(**unit).is_some_and(|unit| framework.bases.1.contains(&unit.name.as_str())))
            .map(|unit| Spot { module, unit: *unit })
            .collect();
        let (line, name) = (own.line, named.unwrap_or_else(|| own.name.clone()));
        let lost = runs.is_empty();
        self.add(Made {
            framework,
            spot,
            line,
            name,
            runs,
            ready: None,
            by: None,
            carriers: Vec::new(),
            lost,
            set: None,
        });
    }

    /// A class of which some methods are tools.
    fn spec(&mut self, module: usize, class: usize, framework: &'static Framework) {
        let Some((file, own)) = self.code.modules.get(module).and_then(|file| Some((file, file.classes.get(class)?)))
        else {
            return;
        };
        let spot = Spot { module, unit: 0 };
        let Some(Value::List(items, false)) = own.fields.get("spec_functions") else {
            return self.open(spot, own.line, "which methods of a class are tools is not plain");
        };
        for item in items {
            let name =
                item.text().or_else(|| if let Value::List(pair, _) = item { pair.first()?.text() } else { None });
            let method = own
                .methods
                .iter()
                .find(|unit| file.units.get(**unit).is_some_and(|unit| name.is_some_and(|name| unit.name == name)));
            let (Some(name), Some(unit)) = (name, method.copied()) else {
                self.open(spot, own.line, "which methods of a class are tools is not plain");
                continue;
            };
            let line = file.units.get(unit).map_or(own.line, |unit| unit.line);
            self.specs.insert((module, class));
            self.add(Made {
                framework,
                spot: Spot { module, unit },
                line,
                name: name.to_owned(),
                runs: vec![Spot { module, unit }],
                ready: None,
                by: None,
                carriers: Vec::new(),
                lost: false,
                set: None,
            });
        }
    }
}
