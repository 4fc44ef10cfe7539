//! Lists, and rules that go through them.

use super::*;

/// What a listing should say, worked out from all keys at once.
fn expected(keys: &BTreeSet<String>, prefix: &str, delimiter: Option<&str>) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix)) {
        let common =
            delimiter.and_then(|delimiter| key[prefix.len()..].find(delimiter).map(|at| &key[..prefix.len() + at + delimiter.len()]));
        let entry = common.map_or_else(|| format!("o:{key}"), |common| format!("p:{common}"));
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_page_size_lists_the_same_as_all_at_once(
        keys in proptest::collection::btree_set("[ab/\u{D7FF}\u{10FFFF}]{1,5}", 0..25),
        prefix in "[ab/]{0,2}",
        delimited in any::<bool>(),
        max in 1usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = world().await;
            for key in &keys {
                world.put(key, "x").await;
            }
            let delimiter = delimited.then(|| "/".to_owned());
            let mut list = List { bucket: "photos".into(), prefix: prefix.clone(), delimiter: delimiter.clone(), after: None, max, ..List::default() };
            let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
            loop {
                let page = world.objects.list(&world.call, &list).await.expect("a page");
                prop_assert!(page.objects.len() + page.prefixes.len() <= max);
                objects.extend(page.objects.into_iter().map(|object| format!("o:{}", object.key)));
                prefixes.extend(page.prefixes.into_iter().map(|prefix| format!("p:{prefix}")));
                match page.next {
                    Some(next) => list.after = Some(next),
                    None => break,
                }
            }
            let (wanted_prefixes, wanted_objects): (Vec<_>, Vec<_>) =
                expected(&keys, &prefix, delimiter.as_deref()).into_iter().partition(|entry| entry.starts_with("p:"));
            prop_assert_eq!(objects, wanted_objects);
            prop_assert_eq!(prefixes, wanted_prefixes);
            Ok(())
        })?;
    }

    #[test]
    fn any_range_is_that_part_of_the_whole(length in prop_oneof![Just(0usize), 1usize..100, 65_000usize..140_000], first in 0u64..150_000, run in 0u64..150_000, from_end in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = world().await;
            let content = bytes(length, 1);
            world.put("k", content.clone()).await;
            let range = if from_end { Range::Last(run) } else { Range::From { first, last: Some(first + run) } };
            let wanted = match range {
                Range::Last(run) if run > 0 && length > 0 => Some(content.slice(length.saturating_sub(run as usize)..)),
                Range::From { first, last: Some(last) } if (first as usize) < length => Some(content.slice(first as usize..length.min(last as usize + 1))),
                _ => None,
            };
            match (world.read("k", range).await, wanted) {
                (Ok(found), Some(wanted)) => prop_assert_eq!(found, wanted),
                (Err(Error::BadRange { .. }), None) => {}
                (found, wanted) => prop_assert!(false, "{:?} is not {:?}", found.map(|bytes| bytes.len()), wanted.map(|bytes| bytes.len())),
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn rules_are_carried_out_once_a_day_on_all_that_is_old_enough() {
    use lifecycle::{Expire, Rule};
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let world = world().await;
    let run = async || world.objects.carry_out_lifecycle(&world.call).await.expect("carried out");
    let next = async || world.objects.next_lifecycle(&world.call).await.expect("read").map(|time| time.millis() / DAY_MS);
    assert_eq!(next().await, None, "without rules there is nothing to do");
    // More versions of one key than are looked at in one go, and more keys.
    world.objects.set_versioning(&world.call, "photos", true).await.expect("set");
    for _ in 0..1_100 {
        world.put("many", "x").await;
    }
    for n in 0..1_100 {
        world.put(&format!("old/{n:04}"), if n == 0 { bytes(70_000, 1) } else { "x".into() }).await;
    }
    let upload =
        NewUpload { bucket: "photos".into(), key: "old/part".into(), properties: Properties::default(), algorithm: None, composite: None };
    let upload = world.objects.start_upload(&world.call, upload).await.expect("started");
    let rules = vec![
        Rule { prefix: "old/".into(), expire: Some(Expire::Days(1)), abort_days: Some(2), ..Rule::default() },
        Rule { noncurrent: Some(lifecycle::Noncurrent { days: 1, keep: 0 }), ..Rule::default() },
    ];
    world.objects.set_lifecycle(&world.call, "photos", Some(("document".into(), rules))).await.expect("set");
    assert_eq!(world.objects.document(&world.call, "photos", lifecycle::DOCUMENT).await.expect("read"), Some("document".into()));
    assert_eq!(next().await, Some(1), "the next midnight");
    world.clock.set(Time(DAY_MS));
    assert_eq!((next().await, run().await, next().await), (Some(1), 0, Some(2)), "nothing is a whole day old");
    world.clock.set(Time(2 * DAY_MS));
    assert_eq!(run().await, 1_099 + 1_100, "older versions of one key, newest ones of many");
    assert!(matches!(world.read("old/0500", Range::All).await, Err(Error::Deleted { .. })), "marked, for versions are kept");
    world.read("many", Range::All).await.expect("the newest version stays");
    world.objects.parts(&world.call, &upload_of(&upload), 0, 1).await.expect("the upload is two days old at the next midnight");
    world.clock.set(Time(4 * DAY_MS));
    // Version and marker of each key; the marker is alone only after that, and goes the next day.
    assert_eq!(run().await, 1_100 + 1);
    assert!(world.objects.parts(&world.call, &upload_of(&upload), 0, 1).await.is_err());
    assert_eq!(world.files(), 0, "the bytes are gone, too");
    world.clock.set(Time(5 * DAY_MS));
    assert_eq!((run().await, run().await), (1_100, 0));
    world.objects.set_lifecycle(&world.call, "photos", None).await.expect("removed");
    assert_eq!(next().await, None);
}
