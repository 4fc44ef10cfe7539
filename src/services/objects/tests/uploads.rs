//! Objects made of parts and of other objects.

use super::*;

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object_without_moving_bytes() {
    let world = world().await;
    let part_bytes = PART_BYTES_MIN as usize;
    for (algorithm, composite) in [(None, false), (Some(Algorithm::Crc32), true), (Some(Algorithm::Sha256), true)] {
        let new = NewUpload { bucket: "photos".into(), key: "big".into(), properties: Properties::default(), algorithm, composite: None };
        let upload = world.objects.start_upload(&world.call, new).await.expect("begun");
        let contents = [bytes(part_bytes, 1), bytes(part_bytes, 2), bytes(10, 3)];
        let mut listed = Vec::new();
        for (number, content) in [7, 2, 9].into_iter().zip([1, 0, 2].map(|index| contents[index].clone())) {
            let part = PartName { upload: upload_of(&upload), number };
            let part = world.objects.put_part(&world.call, PutPart { part, content: Content::of(content) }).await.expect("a part");
            listed.push(Listed { number, etag: part.etag(), checksum: Some((part.checksum.algorithm, part.checksum.value)) });
        }
        listed.sort_by_key(|part| part.number);
        let complete =
            |parts: Vec<Listed>| Complete { upload: upload_of(&upload), parts, condition: Condition::Always, checksum: None, size: None };
        let mut wrong = listed.clone();
        wrong.swap(0, 1);
        assert!(matches!(world.objects.complete(&world.call, complete(wrong)).await, Err(Error::BadPartOrder)));
        let mut wrong = listed.clone();
        wrong[1].etag = "0".repeat(32);
        assert!(matches!(world.objects.complete(&world.call, complete(wrong)).await, Err(Error::BadPart(7))));
        let stored = world.objects.complete(&world.call, complete(listed)).await.expect("completed").object;
        let whole = Bytes::from(contents.concat());
        assert!(stored.etag.ends_with("-3"));
        assert_eq!((stored.crc32c, stored.crc64nvme), {
            let print = Fingerprint::of(&whole, None, false);
            (print.crc32c, print.crc64nvme)
        });
        assert_eq!(stored.checksum.as_ref().is_some_and(|checksum| checksum.of_parts == Some(3)), composite);
        assert_eq!(world.read("big", Range::All).await.expect("read"), whole);
        assert_eq!(world.read("big", Range::Part(9)).await.expect("read"), contents[2]);
        let across = Range::From { first: PART_BYTES_MIN - 5, last: Some(PART_BYTES_MIN + 4) };
        assert_eq!(world.read("big", across).await.expect("read"), whole.slice(part_bytes - 5..part_bytes + 5));
        assert!(matches!(world.objects.upload(&world.call, &upload_of(&upload)).await, Err(Error::NoSuchUpload(_))));
    }
    assert_eq!(world.files(), 2);
    assert!(matches!(world.events().await.last(), Some(Event::Created(Created { how: How::Multipart, .. }))));
}

#[tokio::test]
async fn a_part_too_small_fails_the_upload_and_aborting_frees_the_disk() {
    let world = world().await;
    let new = NewUpload { bucket: "photos".into(), key: "k".into(), properties: Properties::default(), algorithm: None, composite: None };
    let upload = world.objects.start_upload(&world.call, new).await.expect("begun");
    let mut parts = Vec::new();
    for number in [1, 2] {
        let part = PartName { upload: upload_of(&upload), number };
        let part = world.objects.put_part(&world.call, PutPart { part, content: Content::of(bytes(100_000, 1)) }).await.expect("a part");
        parts.push(Listed { number, etag: part.etag(), checksum: None });
    }
    let complete = Complete { upload: upload_of(&upload), parts, condition: Condition::Always, checksum: None, size: None };
    assert!(matches!(world.objects.complete(&world.call, complete).await, Err(Error::PartTooSmall { number: 1, .. })));
    assert_eq!(world.files(), 2);
    world.objects.abort(&world.call, upload_of(&upload)).await.expect("aborted");
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn a_copy_shares_the_bytes_and_outlives_its_source() {
    let world = world().await;
    let content = bytes(200_000, 9);
    world.put("from", content.clone()).await;
    let copy = Copy {
        from: Name::latest("photos", "from"),
        wanted: Wanted::default(),
        bucket: "photos".into(),
        key: "to".into(),
        headers_and_metadata: None,
        tags: None,
        algorithm: None,
        condition: Condition::Always,
    };
    world.objects.copy(&world.call, copy.clone()).await.expect("copied");
    let onto_itself = Copy { key: "from".into(), ..copy.clone() };
    assert!(matches!(world.objects.copy(&world.call, onto_itself.clone()).await, Err(Error::CopyOntoItself)));
    world
        .objects
        .copy(&world.call, Copy { headers_and_metadata: Some(Properties::default()), ..onto_itself })
        .await
        .expect("changed in place");
    assert_eq!(world.files(), 1);
    world.delete("from", Which::Latest).await;
    assert_eq!(world.read("to", Range::All).await.expect("still there"), content);
    let sha = Copy { from: Name::latest("photos", "to"), key: "sha".into(), algorithm: Some(Algorithm::Sha256), ..copy };
    let (stored, _) = world.objects.copy(&world.call, sha).await.expect("copied");
    let wanted = Fingerprint::of(&content, Some(Algorithm::Sha256), false).checksum(Algorithm::Sha256);
    assert_eq!(stored.object.checksum.map(|checksum| checksum.value), wanted);
    world.delete("to", Which::Latest).await;
    world.delete("sha", Which::Latest).await;
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn an_object_is_made_of_others_without_moving_their_bytes() {
    let world = world().await;
    let large = bytes(200_000, 3);
    world.put("a", large.clone()).await;
    world.put("b", &b"tail"[..]).await;
    let source = |key: &str| (key.to_owned(), Which::Latest, Numbers::default());
    let compose = |sources| Compose {
        bucket: "photos".into(),
        key: "whole".into(),
        sources,
        properties: Properties::default(),
        condition: Condition::Always,
    };
    let whole = world.objects.compose(&world.call, compose(vec![source("a"), source("b")])).await.expect("made").object;
    let wanted = [large.as_ref(), b"tail"].concat();
    let print = Fingerprint::of(&wanted, None, false);
    assert_eq!(
        (whole.size, whole.crc32c, whole.crc64nvme, whole.md5, whole.parts.len()),
        (200_004, print.crc32c, print.crc64nvme, None, 2)
    );
    assert_eq!(world.read("whole", Range::All).await.expect("read"), wanted);
    assert_eq!(world.files(), 1, "the bytes are shared");
    assert!(matches!(world.objects.compose(&world.call, compose(Vec::new())).await, Err(Error::BadComponents)));
    let many = (0..=COMPONENTS_MAX).map(|_| source("b")).collect();
    assert!(matches!(world.objects.compose(&world.call, compose(many)).await, Err(Error::BadComponents)));
    assert!(matches!(world.objects.compose(&world.call, compose(vec![source("no")])).await, Err(Error::NoSuchKey { .. })));
}
