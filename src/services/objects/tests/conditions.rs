//! What must hold before bytes are taken, or an object is changed.

use super::*;

#[tokio::test]
async fn what_is_claimed_of_the_bytes_must_hold_and_nothing_is_kept_where_it_does_not() {
    let world = world().await;
    let later = |value: Option<Vec<u8>>| Claim::Later(Box::new(move || value));
    let crc32 = vec![0x36, 0x10, 0xa6, 0x86];
    let rows: Vec<(Claims, &str)> = vec![
        (Claims { length: Some(5), ..Claims::default() }, "ok"),
        (Claims { length: Some(6), ..Claims::default() }, "Incomplete"),
        (Claims { md5: Some(vec![0; 16]), ..Claims::default() }, "Mismatch(Md5)"),
        (Claims { payload_sha256: Some(vec![0; 32]), ..Claims::default() }, "Mismatch(Payload)"),
        (Claims { algorithm: Some(Algorithm::Crc32), checksum: Claim::Given(crc32.clone()), ..Claims::default() }, "ok"),
        (Claims { algorithm: Some(Algorithm::Crc32), checksum: later(Some(crc32)), ..Claims::default() }, "ok"),
        (Claims { algorithm: Some(Algorithm::Sha256), checksum: later(None), ..Claims::default() }, "ok"),
        (Claims { algorithm: Some(Algorithm::Sha1), checksum: later(Some(vec![])), ..Claims::default() }, "Mismatch(Checksum(Sha1))"),
        (Claims { length: Some(PUT_BYTES_MAX + 1), ..Claims::default() }, "TooLarge"),
    ];
    for (claims, wanted) in rows {
        let content = Content { claims, ..Content::of("hello") };
        let found = match world.objects.put(&world.call, put("k", content)).await {
            Ok(_) => "ok".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        assert!(found.starts_with(wanted), "{found}, not {wanted}");
        let there = world.read("k", Range::All).await.is_ok();
        assert_eq!(there, wanted == "ok");
        world.delete("k", Which::Latest).await;
    }
}

#[tokio::test]
async fn conditions_decide_who_may_write() {
    let world = world().await;
    let object = world.put("there", "x").await;
    for (key, condition, wanted) in [
        ("new", Condition::Absent, "ok"),
        ("there", Condition::Absent, "Precondition(Differs)"),
        ("there", Condition::Tag(object.etag.clone()), "ok"),
        ("there", Condition::Tag("other".into()), "Precondition(Matches)"),
        ("none", Condition::Tag("other".into()), "NoSuchKey"),
        ("there", Condition::Present, "ok"),
    ] {
        let result = world.objects.put(&world.call, Put { condition, ..put(key, Content::of("x")) }).await;
        let found = result.map_or_else(|error| format!("{error:?}"), |_| "ok".to_owned());
        assert!(found.starts_with(wanted), "{key}: {found}, not {wanted}");
    }
}

#[tokio::test]
async fn of_many_writers_who_want_to_be_first_one_is() {
    let world = world().await;
    let won = AtomicUsize::new(0);
    let tries = (0..20).map(|_| async {
        let first = Put { condition: Condition::Absent, ..put("once", Content::of("x")) };
        if world.objects.put(&world.call, first).await.is_ok() {
            won.fetch_add(1, Ordering::Relaxed);
        }
    });
    futures_util::future::join_all(tries).await;
    assert_eq!(won.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn changes_hold_to_the_numbers_that_are_asked_for() {
    let world = world().await;
    let there = world.put("k", &b"one"[..]).await;
    let (is, other) = (Some(there.generation), Some(there.generation + 1));
    let of = |generation, not_generation, metageneration, not_metageneration| Numbers {
        generation,
        not_generation,
        metageneration,
        not_metageneration,
    };
    for (key, numbers, wanted) in [
        ("new", of(Some(0), None, None, None), true),
        ("new", of(is, None, None, None), false),
        ("new", of(None, Some(0), None, None), false),
        ("k", of(Some(0), None, None, None), false),
        ("k", of(is, None, Some(1), None), true),
        ("k", of(is, None, Some(2), None), false),
        ("k", of(other, None, None, None), false),
        ("k", of(None, is, None, None), false),
        ("k", of(None, other, None, Some(2)), true),
        ("k", of(None, None, None, Some(1)), false),
    ] {
        let name = Name::latest("photos", key);
        let condition = Condition::Numbers(numbers.clone());
        let done = if key == "k" {
            let edit = Edit { name, condition, change: Box::new(|_| false), silent: true };
            world.objects.edit(&world.call, edit).await.is_ok()
        } else {
            let put = Put { condition, ..put(key, Content::of(&b"x"[..])) };
            let done = world.objects.put(&world.call, put).await.is_ok();
            let deletion = Deletion { key: key.into(), which: Which::Latest, condition: Condition::Always };
            world.objects.delete(&world.call, "photos", vec![deletion]).await.expect("tidied up");
            done
        };
        assert_eq!(done, wanted, "{key} {numbers:?}");
    }
}
