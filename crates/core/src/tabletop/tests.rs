use super::*;

fn sample(name: &str) -> Assessment {
    let text = match name {
        "sample" => include_str!("../../../../tests/report/sample.json"),
        "hostile" => include_str!("../../../../tests/report/hostile.json"),
        _ => include_str!("../../../../tests/report/empty.json"),
    };
    serde_json::from_str(text).unwrap()
}

#[test]
fn injects_begin_with_the_worst_asset_and_leave_time_for_others() {
    let assessment = sample("sample");
    let all = injects(&assessment);
    assert!(all.len() > 3 && all.len() <= 8, "{all:#?}");
    let worst = assessment.assets.iter().find(|asset| asset.in_headline).unwrap();
    assert!(all[0].title.starts_with(&worst.name), "{}", all[0].title);
    assert_eq!((all[0].id.as_str(), all[0].at), ("I-01", "T+0"));
    for path in all.iter().map(|one| &one.path) {
        assert!(all.iter().filter(|one| one.path == *path).count() <= 3);
    }
    assert!(injects(&sample("empty")).is_empty());
}

#[test]
fn participants_are_not_told_what_the_facts_say() {
    let assessment = sample("sample");
    let (guide, manual) = (facilitator(&assessment), participants(&assessment));
    for inject in injects(&assessment) {
        let expected = crate::render::escape(&crate::render::Shown::line(&inject.expected));
        assert!(inject.expected.trim().is_empty() || (guide.contains(&expected) && !manual.contains(&expected)));
        assert!(!manual.contains(&crate::render::escape(&crate::render::Shown::line(&inject.text))));
        for question in inject.questions {
            assert!(manual.contains(question) && guide.contains(question));
        }
    }
}

#[test]
fn hostile_names_format_nothing() {
    let assessment = sample("hostile");
    for text in [facilitator(&assessment), participants(&assessment)] {
        let hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2066}');
        assert!(!text.contains(hidden) && !text.contains("<script") && !text.contains("]("), "{text}");
    }
}

#[test]
fn a_record_is_refused_where_it_says_what_cannot_be() {
    let assessment = sample("sample");
    let fresh = start(&assessment);
    assert_eq!(check(&fresh, &assessment), []);
    let action = Action {
        id: "IP-1".to_owned(),
        observation: None,
        fix: None,
        action: "page on it".to_owned(),
        owner: "A. Person".to_owned(),
        start: "2026-11-23".to_owned(),
        due: "2026-12-04".to_owned(),
        status: "open".to_owned(),
    };
    let wrong = |edit: &dyn Fn(&mut Record)| {
        let mut record = fresh.clone();
        record.exercise.date = Some("2026-11-20".to_owned());
        record.improvement_plan = vec![action.clone()];
        edit(&mut record);
        check(&record, &assessment).len()
    };
    assert_eq!(wrong(&|_| {}), 0);
    assert_eq!(
        wrong(&|record| record.injects[0].questions[0].rating = "M".to_owned()),
        1,
        "a rating without an answer"
    );
    assert_eq!(wrong(&|record| record.injects[0].questions[0].rating = "X".to_owned()), 1);
    assert_eq!(wrong(&|record| record.injects[0].path = "nowhere".to_owned()), 1, "an unknown path");
    assert_eq!(wrong(&|record| record.injects[1].id = "I-01".to_owned()), 1);
    assert_eq!(wrong(&|record| record.improvement_plan[0].owner = " ".to_owned()), 1);
    assert_eq!(wrong(&|record| record.improvement_plan[0].due = String::new()), 1);
    assert_eq!(wrong(&|record| record.improvement_plan[0].due = "2026-11-22".to_owned()), 1, "due before it starts");
    assert_eq!(wrong(&|record| record.improvement_plan[0].observation = Some("O-9".to_owned())), 1);
    assert_eq!(wrong(&|record| record.exercise.date = Some("2026-13-40".to_owned())), 1);
    // Once the facts are others a path may have been closed since.
    let closed = |record: &mut Record| {
        record.assessment = "sha256:0".to_owned();
        record.injects[0].path = "nowhere".to_owned();
    };
    assert_eq!(wrong(&closed), 0);
    let mut late = fresh.clone();
    late.improvement_plan = vec![action.clone(), Action { id: "IP-2".to_owned(), status: "done".to_owned(), ..action }];
    assert_eq!(open_actions(&late, "2026-12-05").len(), 1);
    assert_eq!(open_actions(&late, "2026-12-04").len(), 0);
}

#[test]
fn what_changed_since_is_marked_and_blank_is_not_recorded() {
    let mut assessment = sample("sample");
    let finding =
        crate::assessment::Finding { check: RECORDED.into(), verdict: "fail".into(), ..assessment.findings[0].clone() };
    assessment.findings.push(finding);
    let mut record = start(&assessment);
    let verdict = |assessment: &Assessment| assessment.findings.last().unwrap().verdict.to_string();
    let mut blank = assessment.clone();
    merge(&mut blank, &record);
    assert_eq!(verdict(&blank), "fail", "nothing was answered");
    record.injects[0].questions[0].answer = "Customers.".to_owned();
    record.exercise.date = Some("2026-11-20".to_owned());
    record.injects[1].facts_hash = "other".to_owned();
    for (day, hash) in [("2025-01-01", None), ("2099-01-01", None), ("2026-11-20", Some("other"))] {
        let (mut with, mut record) = (assessment.clone(), record.clone());
        record.exercise.date = Some(day.to_owned());
        if let Some(hash) = hash {
            record.injects[0].facts_hash = hash.to_owned();
        }
        merge(&mut with, &record);
        assert_eq!(verdict(&with), "fail", "{day}: too long ago, not yet, or about other facts");
    }
    merge(&mut assessment, &record);
    assert_eq!(verdict(&assessment), "pass");
    let told = assessment.tabletop.clone().unwrap();
    assert_eq!((&told["injects"][0]["stale"], &told["injects"][1]["stale"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(told["injects"][0]["questions"][0]["answer"], "Customers.");
}
