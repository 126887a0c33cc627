-- Users, the log of requests, and the settings that all servers share.
--
-- Times are bigint microseconds since 1970, not timestamptz: what comes back is
-- bit for bit what went in, whatever the session's time zone, and equal to what
-- the other stores keep. to_timestamp(create_time_us / 1e6) reads them.

create table users (
        id uuid primary key,
        email text not null,
        email_key text collate "C" not null constraint users_email_key_unique unique,
        name text not null,
        age integer not null,
        create_time_us bigint not null,
        update_time_us bigint not null,
        version bigint not null
);

-- A row stands for a write that carried a request_id and succeeded; the user is
-- the one that it left. claim is the number of the batch that made the row: how
-- that batch tells its own claims from repeats. Room is left in the pages, so
-- that filling in the user of an update stays on the page.
create table users_request_log (
        principal text collate "C" not null,
        request_id uuid not null,
        hash bytea not null,
        kind smallint not null,
        claim bigint not null,
        created_us bigint not null,
        user_id uuid,
        email text,
        email_key text,
        name text,
        age integer,
        create_time_us bigint,
        update_time_us bigint,
        version bigint,
        primary key (principal, request_id)
) with (fillfactor = 80);

create index users_request_log_created_us on users_request_log (created_us);

create table users_settings (
        name text primary key,
        value bytea not null
);
