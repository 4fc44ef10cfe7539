//! The triggers over a real database and a frozen clock; functions, queues, streams and topics are stand-ins.

mod deliveries;
mod firebase;
mod queues;
mod records;
mod schedules;
mod services;
mod stand_in;
mod streams;
