//! The providers' own worked examples, row by row, each with the page that has it. Where a page reckons with prices of its day, the row
//! lays those over the book. Rows "priced by infracost" are quantities and results of that project's test data, which takes its prices
//! from the providers' price lists.

use super::*;
use crate::base::Unit;

/// GB-seconds of the 2^30 kind, in MiB·µs.
const GB_S: u128 = 1_024_000_000;
const GB: u128 = 1 << 30;
const MILLION: u128 = 1_000_000;

const FREE: Terms = Terms::Month { free_tier: true };
const PAID: Terms = Terms::Month { free_tier: false };

fn unit(unit: Unit, amount: u128) -> (Measure, u128) {
    (Measure::Unit(unit), amount)
}

fn time(time: Time, amount: u128) -> (Measure, u128) {
    (Measure::Time(time), amount)
}

fn work(amounts: &[(Measure, u128)]) -> Work {
    let mut work = Work::default();
    amounts.iter().for_each(|(measure, amount)| work.put(*measure, Amount::exactly(*amount)));
    work
}

/// In cents, as the pages round.
fn cents(amount: Range) -> String {
    assert!(amount.is_exact(), "{amount:?}");
    let tenth = 10u128.pow(24);
    let cents = (amount.low.atoms() / tenth + 5) / 10;
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[track_caller]
fn check(source: &str, provider: Provider, over: &str, terms: Terms, amounts: &[(Measure, u128)], wanted: &str) {
    let sheets = match over {
        "" => Vec::new(),
        text => vec![("the page".to_owned(), Sheet::read(&format!("provider: {provider}\nitems:\n{text}"), "the page").expect(source))],
    };
    let books = Book::with(sheets).expect(source);
    let book = books.iter().find(|book| book.provider == provider).expect("a book of each provider");
    let bill = price(&work(amounts), book, terms);
    assert_eq!(bill.missing().count(), 0, "{source}");
    assert_eq!(cents(bill.total()), wanted, "{source}: {:?}", bill.groups());
}

#[test]
fn lambda() {
    let rounded = "  lambda-duration: {price: \"0.00001667\"}";
    let run =
        |count: u128, mib: u128, millis: u128| [unit(Unit::Invocations, count), time(Time::LambdaMibMicros, count * mib * millis * 1000)];
    check("AWS Lambda pricing, example 1: 512 MB, 3 M × 1 s", Provider::Aws, rounded, FREE, &run(3 * MILLION, 512, 1000), "18.74");
    check("AWS Lambda pricing, example 2: 128 MB, 30 M × 200 ms", Provider::Aws, rounded, FREE, &run(30 * MILLION, 128, 200), "11.63");
    check("priced by infracost: 100,000 requests, 17,500 GB-s", Provider::Aws, "", PAID, &gb_s(100_000, 17_500), "0.31");
    check("priced by infracost: 6 B requests, 3.072 B GB-s", Provider::Aws, "", PAID, &gb_s(6_000 * MILLION, 3_072 * MILLION), "52400.10");
    check("priced by infracost: second tier", Provider::Aws, "", PAID, &gb_s(9_000 * MILLION, 9_216 * MILLION), "150040.20");
    check("priced by infracost: third tier", Provider::Aws, "", PAID, &gb_s(15_000 * MILLION, 30_000 * MILLION), "438001.20");
    check("priced by infracost: Arm", Provider::AwsArm, "", PAID, &gb_s(100_000, 17_500), "0.25");
    check("priced by infracost: Arm, second tier", Provider::AwsArm, "", PAID, &gb_s(11_250 * MILLION, 11_520 * MILLION), "150490.90");
    check("priced by infracost: Arm, third tier", Provider::AwsArm, "", PAID, &gb_s(18_250 * MILLION, 37_500 * MILLION), "438652.25");
}

fn gb_s(requests: u128, seconds: u128) -> [(Measure, u128); 2] {
    [unit(Unit::Invocations, requests), time(Time::LambdaMibMicros, seconds * GB_S)]
}

#[test]
fn the_free_tier_of_lambda_ends_where_it_ends() {
    for (requests, seconds, wanted) in
        [(MILLION, 400_000, "0.00"), (MILLION + 1_000_000, 400_000, "0.20"), (MILLION, 400_000 + 600, "0.01")]
    {
        check("AWS Lambda pricing, free tier", Provider::Aws, "", FREE, &gb_s(requests, seconds), wanted);
    }
}

#[test]
fn api_gateway() {
    let of = |which, millions: u128| [unit(which, millions * MILLION)];
    check("priced by infracost: HTTP API, 1 B requests", Provider::Aws, "", FREE, &of(Unit::RouteRequests, 1000), "930.00");
    check("Amazon API Gateway pricing, REST tiers at 333 M", Provider::Aws, "", FREE, &of(Unit::RestRequests, 333), "1165.50");
    check("Amazon API Gateway pricing, REST tiers at 1 B", Provider::Aws, "", FREE, &of(Unit::RestRequests, 1000), "3033.10");
    check("Amazon API Gateway pricing, REST tiers above 20 B", Provider::Aws, "", FREE, &of(Unit::RestRequests, 21_000), "49763.10");
}

#[test]
fn dynamodb() {
    let before = "  dynamodb-reads: {price: \"0.25\"}\n  dynamodb-writes: {price: \"1.25\"}";
    let usage = [unit(Unit::TableWrites, 3 * MILLION), unit(Unit::TableReadHalves, 16 * MILLION), unit(Unit::StreamReads, 2 * MILLION)];
    check("priced by infracost, before November 2024: 3 M WRU, 8 M RRU, 2 M stream reads", Provider::Aws, before, PAID, &usage, "6.15");
    check("the same at half the prices of requests", Provider::Aws, "", PAID, &usage, "3.28");
    check("Amazon DynamoDB pricing: 2.5 M stream reads are free", Provider::Aws, "", FREE, &usage, "2.88");
    let month = [unit(Unit::TableWrites, 650_000), unit(Unit::TableReadHalves, 2 * 550_000)];
    check("$0.625 and $0.125 per million: 650,000 writes, 550,000 reads", Provider::Aws, "", FREE, &month, "0.48");
    let storage = [unit(Unit::TableBytesStored, 230 * GB)];
    check("priced by infracost: 230 GB", Provider::Aws, "", PAID, &storage, "57.50");
    check("Amazon DynamoDB pricing: 25 GB are free", Provider::Aws, "", FREE, &storage, "51.25");
}

#[test]
fn s3() {
    let requests = [unit(Unit::ObjectWrites, 10_000), unit(Unit::ObjectReads, 20_000), unit(Unit::ObjectDeletes, 1_000)];
    check("Amazon S3 pricing: $0.005 per 1,000 PUT, $0.0004 per 1,000 GET, DELETE free", Provider::Aws, "", FREE, &requests, "0.06");
    check(
        "Amazon S3 pricing: 50 TB at 0.023, then 0.022",
        Provider::Aws,
        "",
        FREE,
        &[unit(Unit::ObjectBytesStored, 51_300 * GB)],
        "1179.80",
    );
}

#[test]
fn sqs_and_sns() {
    let million = |which, millions: u128| [unit(which, millions * MILLION)];
    check("priced by infracost: 2 M standard requests", Provider::Aws, "", PAID, &million(Unit::QueueRequests, 2), "0.80");
    check("Amazon SQS pricing: the first million is free", Provider::Aws, "", FREE, &million(Unit::QueueRequests, 2), "0.40");
    check("priced by infracost: 1 M FIFO requests", Provider::Aws, "", PAID, &million(Unit::QueueFifoRequests, 1), "0.50");
    check("Amazon SQS pricing: above 100 B", Provider::Aws, "", PAID, &million(Unit::QueueRequests, 100_001), "40000.30");
    check("priced by infracost: 2 M SNS requests, the first free", Provider::Aws, "", FREE, &million(Unit::TopicPublishes, 2), "0.50");
    check("priced by infracost: 200,000 to HTTP", Provider::Aws, "", FREE, &[unit(Unit::TopicHttpDeliveries, 200_000)], "0.06");
    check("priced by infracost: 300,000 to mail", Provider::Aws, "", FREE, &[unit(Unit::TopicMailDeliveries, 300_000)], "5.98");
}

#[test]
fn mail_and_traffic() {
    let mails = [unit(Unit::Mails, 100_000), unit(Unit::MailAttachmentBytes, 10 * GB)];
    check("Amazon SES pricing: $0.10 per 1,000, $0.12 per GB attached", Provider::Aws, "", FREE, &mails, "11.20");
    let out = |gb: u128| [unit(Unit::RouteBytesOut, gb * GB)];
    check("priced by infracost: the first 10 TB out", Provider::Aws, "", PAID, &out(10_240), "921.60");
    check("priced by infracost: 40 TB more", Provider::Aws, "", PAID, &out(51_200), "4403.20");
    check("priced by infracost: 100 TB more", Provider::Aws, "", PAID, &out(153_600), "11571.20");
    check("priced by infracost: 3,400 GB above", Provider::Aws, "", PAID, &out(157_000), "11741.20");
    check("Amazon EC2 pricing: 100 GB out are free", Provider::Aws, "", FREE, &out(100), "0.00");
}

#[test]
fn workers() {
    let serve = |requests: u128, millis: u128| [unit(Unit::Invocations, requests), time(Time::WorkerCpuMicros, requests * millis * 1000)];
    let at = Provider::Cloudflare;
    check("Cloudflare Workers pricing, example 1: 15 M × 7 ms", at, "", FREE, &serve(15 * MILLION, 7), "8.00");
    check("Cloudflare Workers pricing, example 2: 3 M dynamic × 7 ms", at, "", FREE, &serve(3 * MILLION, 7), "5.00");
    check("Cloudflare Workers pricing, example 3: hourly × 3 minutes", at, "", FREE, &serve(720, 180_000), "6.99");
    check("Cloudflare Workers pricing, example 4: 100 M × 7 ms", at, "", FREE, &serve(100 * MILLION, 7), "45.40");
}

#[test]
fn r2_queues_and_d1() {
    let at = Provider::Cloudflare;
    let gb = 10u128.pow(9);
    let plan = "  plan: {price: \"0\"}";
    let stored = [unit(Unit::ObjectBytesStored, 1000 * gb), unit(Unit::ObjectWrites, 1000), unit(Unit::ObjectReads, MILLION)];
    check("Cloudflare R2 pricing, standard storage example", at, plan, FREE, &stored, "14.85");
    let assets = [unit(Unit::ObjectBytesStored, 10 * gb), unit(Unit::ObjectWrites, 100_000), unit(Unit::ObjectReads, 300 * MILLION)];
    check("Cloudflare R2 pricing, asset hosting", at, plan, FREE, &assets, "104.40");
    check("Cloudflare R2 pricing: 1,000,001 are billed as 2 M", at, plan, PAID, &[unit(Unit::ObjectWrites, MILLION + 1)], "9.00");
    check("Cloudflare R2 pricing: 1.1 GB-months are billed as 2", at, plan, PAID, &[unit(Unit::ObjectBytesStored, gb * 11 / 10)], "0.03");
    let queue = |operations: u128| [unit(Unit::QueueRequests, operations)];
    check("Cloudflare Queues pricing, example 1: 1 M messages a day", at, plan, FREE, &queue(90 * MILLION), "35.60");
    check("Cloudflare Queues pricing, example 2: 100 M of 127 KB", at, plan, FREE, &queue(600 * MILLION), "239.60");
    let rows =
        [unit(Unit::TableItemsRead, 26_000 * MILLION), unit(Unit::TableItemsPut, 50 * MILLION), unit(Unit::TableItemsDeleted, MILLION)];
    check("Cloudflare D1 pricing: above 25 B read and 50 M written", at, plan, FREE, &rows, "2.00");
    check("no traffic is billed", at, plan, PAID, &[unit(Unit::ObjectBytesOut, 1000 * gb)], "0.00");
}

#[test]
fn firestore() {
    let multi_region = "  firestore-reads: {price: \"0.06\"}\n  firestore-writes: {price: \"0.18\"}\n  firestore-deletes: {price: \"0.02\"}\n  firestore-storage: {price: \"0.18\"}";
    let month = [
        unit(Unit::TableBytesStored, 100 * GB),
        unit(Unit::TableItemsRead, 100 * MILLION),
        unit(Unit::TableItemsPut, 50 * MILLION),
        unit(Unit::TableItemsDeleted, 5 * MILLION),
    ];
    let source = "Cloud Firestore pricing (2018), worked month: 100 GiB, 100 M reads, 50 M writes, 5 M deletes, less the daily quotas";
    check(source, Provider::Firebase, multi_region, FREE, &month, "166.72");
    check("the same in us-central1", Provider::Firebase, "", FREE, &month, "89.30");
    let day = [unit(Unit::TableItemsRead, 30 * 50_000), unit(Unit::TableItemsPut, 30 * 20_000), unit(Unit::TableItemsDeleted, 30 * 20_000)];
    check("Firestore pricing: the daily quotas of 30 days", Provider::Gcp, "", FREE, &day, "0.00");
}

#[test]
fn cloud_run() {
    let seconds = |count: u128| [time(Time::RunCpuMicros, count * MILLION), time(Time::RunMibMicros, count * GB_S / 2)];
    check("Cloud Run pricing: 180,000 vCPU-s and 360,000 GiB-s are free", Provider::Gcp, "", FREE, &seconds(180_000), "0.00");
    check("Cloud Run pricing: $0.000024 a vCPU-s, $0.0000025 a GiB-s", Provider::Gcp, "", PAID, &seconds(1_000_000), "25.25");
    check("Cloud Run pricing: 2 M requests are free", Provider::Firebase, "", FREE, &[unit(Unit::Invocations, 10 * MILLION)], "3.20");
    // 1st generation, by GHz: 200 MHz with 128 MB.
    let first = "  run-cpu: {price: \"0.00001\", free: {amount: 200000, every: month}}\n  run-memory: {price: \"0.0000025\", free: {amount: 400000, every: month}}";
    let events = [
        unit(Unit::Invocations, 10 * MILLION),
        time(Time::RunCpuMicros, 10 * MILLION * 300_000 / 5),
        time(Time::RunMibMicros, 10 * MILLION * 300_000 * 128),
    ];
    check("Cloud Functions (1st gen) pricing, event-driven example: 10 M × 300 ms", Provider::Gcp, first, FREE, &events, "7.20");
    let golden = [
        unit(Unit::Invocations, 10 * MILLION),
        time(Time::RunCpuMicros, 1_200_000 * MILLION),
        time(Time::RunMibMicros, 750_000 * GB_S),
        unit(Unit::RouteBytesOut, 100 * GB),
    ];
    check("priced by infracost: 1st generation, 100 GB out", Provider::Gcp, first, PAID, &golden, "29.88");
}

#[test]
fn google_queues_topics_schedules_objects() {
    let at = Provider::Gcp;
    check("Cloud Tasks pricing: the first million is free", at, "", FREE, &[unit(Unit::QueueRequests, 3 * MILLION)], "0.80");
    check("Pub/Sub pricing: 10 GiB free, $40 a TiB", at, "", FREE, &[unit(Unit::TopicBytes, 1034 * GB)], "40.00");
    check("Cloud Scheduler pricing: 3 jobs are free", at, "", FREE, &[unit(Unit::Schedules, 5)], "0.20");
    let objects = [unit(Unit::ObjectWrites, 105_000), unit(Unit::ObjectReads, 150_000), unit(Unit::ObjectBytesStored, 105 * GB)];
    check("Cloud Storage pricing: less 5,000 class A, 50,000 class B, 5 GiB", at, "", FREE, &objects, "2.54");
}

#[test]
fn azure() {
    let at = Provider::Azure;
    let run =
        |count: u128, mib: u128, millis: u128| [unit(Unit::Invocations, count), time(Time::AzureMibMicros, count * mib * millis * 1000)];
    check("Azure Functions pricing, worked example: 512 MB, 3 M × 1 s", at, "", FREE, &run(3 * MILLION, 512, 1000), "18.00");
    check("Azure Functions, worked example of Modal's guide: 1.5 GB, 3 M × 1 s", at, "", FREE, &run(3 * MILLION, 1536, 1000), "66.00");
    check("priced by infracost: less than 100 ms and 128 MB is billed so", at, "", PAID, &run(3 * MILLION, 128, 100), "1.20");
    check("priced by infracost: 800,000 Event Grid operations", at, "", PAID, &[unit(Unit::TopicPublishes, 800_000)], "0.48");
    let blob = [unit(Unit::ObjectWrites, 6 * MILLION), unit(Unit::ObjectReads, 600_000)];
    check("priced by infracost: 600 × 10,000 writes, 60 × 10,000 reads", at, "", PAID, &blob, "33.26");
    check("priced by infracost: 6,000,000 GB", at, "", PAID, &[unit(Unit::ObjectBytesStored, 6_000_000 * GB)], "115327.18");
    check("priced by infracost: 200 × 10,000 queue operations", at, "", PAID, &[unit(Unit::QueueRequests, 2 * MILLION)], "0.80");
}
