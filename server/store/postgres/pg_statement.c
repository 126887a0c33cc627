#include "server/store/postgres/pg_statement.h"

#define USER_COLUMNS "id, email, email_key, name, age, create_time_us, update_time_us, version"

#define NO_USER                                                                                    \
        "null::uuid, null::text, null::text, null::text, null::int4, null::int8, null::int8,"      \
        " null::int8"

/* What a row of the log holds, beside its key. */
#define LOG_COLUMNS                                                                                \
        "hash, kind, claim, created_us,"                                                           \
        " user_id, email, email_key, name, age, create_time_us, update_time_us, version"

/* $1 to $3 tell whose request it is, in every statement of the log. */
#define LOG_KEYS "$1::text[], $2::uuid[], $3::bytea[]"

/*
 * A claim that is older than a day is taken over; one that is not is a conflict,
 * and its row is only locked.
 */
#define ON_CONFLICT_TAKE_EXPIRED                                                                   \
        " on conflict (principal, request_id) do update"                                           \
        " set (" LOG_COLUMNS ") = (excluded.hash, excluded.kind, excluded.claim,"                  \
        "  excluded.created_us, excluded.user_id, excluded.email, excluded.email_key,"             \
        "  excluded.name, excluded.age, excluded.create_time_us, excluded.update_time_us,"         \
        "  excluded.version)"                                                                      \
        " where users_request_log.created_us <= $7::int8"

/*
 * The log rows of the batch, ours and those of others, as they are after the
 * claims: a statement of its own, so with a snapshot of its own.
 */
#define LOG_CTE(arrays, columns)                                                                   \
        "with log as materialized ("                                                               \
        " select i.*, l.claim = $4::int8 as claimed,"                                              \
        "  l.hash = i.want_hash and l.kind = $5::int8 as same,"                                    \
        "  l.user_id as l_id, l.email as l_email, l.email_key as l_email_key, l.name as l_name,"   \
        "  l.age as l_age, l.create_time_us as l_create_time_us,"                                  \
        "  l.update_time_us as l_update_time_us, l.version as l_version"                           \
        " from unnest(" LOG_KEYS arrays ") with ordinality"                                        \
        "  as i(principal, request_id, want_hash" columns ", n)"                                   \
        " join users_request_log l on l.principal = i.principal"                                   \
        "  and l.request_id = i.request_id)"

#define LOG_REPEATS                                                                                \
        "select n, case when same then 1 else 2 end, l_id, l_email, l_email_key, l_name, l_age,"   \
        " l_create_time_us, l_update_time_us, l_version from log where not claimed"

#define LOG_DROP                                                                                   \
        " delete from users_request_log l using log g"                                             \
        " where l.principal = g.principal and l.request_id = g.request_id and g.claimed"

#define UPDATE_ARRAYS(id, want, email, email_key, name, age, time)                                 \
        id "::uuid[], " want "::int8[], " email "::text[], " email_key "::text[], " name           \
           "::text[], " age "::int4[], " time "::int8[]"

#define UPDATE_COLUMNS "id, want, new_email, new_email_key, new_name, new_age, new_update_time_us"

/* LockRows stands above the sort: locks are taken in order of id. */
#define LOCK_USERS " join users u on u.id = i.id order by u.id for update of u)"

/*
 * All rows are locked before the first is changed (the count), so emails are
 * never waited for with rows still to lock. The email's guard is a scalar
 * subquery on purpose: EXISTS may be planned as a hash of the whole table.
 */
#define UPDATE_LOCKED                                                                              \
        " update users u set email = coalesce(l.new_email, u.email),"                              \
        "  email_key = coalesce(l.new_email_key, u.email_key),"                                    \
        "  name = coalesce(l.new_name, u.name), age = coalesce(l.new_age, u.age),"                 \
        "  update_time_us = greatest(l.new_update_time_us, u.update_time_us),"                     \
        "  version = l.stored + 1"                                                                 \
        " from locked l"                                                                           \
        " where u.id = l.id and (l.want = 0 or l.want = l.stored)"                                 \
        "  and (select count(*) from locked) > 0"                                                  \
        "  and (l.new_email_key is null or (select o.id from users o"                              \
        "   where o.email_key = l.new_email_key and o.id <> l.id) is null)"

#define CHANGED_COLUMNS                                                                            \
        "u.id, u.email, u.email_key, u.name, u.age, u.create_time_us, u.update_time_us, u.version"

#define UPDATE_OUTCOMES                                                                            \
        "select n, 0, " USER_COLUMNS " from changed"                                               \
        " union all select n, case when want = 0 or want = stored then 4 else 3 end, " NO_USER     \
        "  from locked"

#define DELETE_LOCKED                                                                              \
        " delete from users u using locked l"                                                      \
        " where u.id = l.id and (l.want = 0 or l.want = l.stored)"                                 \
        "  and (select count(*) from locked) > 0"

#define DELETE_OUTCOMES                                                                            \
        "select n, case when want = 0 or want = stored then 0 else 3 end, " NO_USER " from locked"

static const char find_by_id[] = "select " USER_COLUMNS " from users where id = any($1::uuid[])";

static const char find_by_email[] =
        "select " USER_COLUMNS " from users where email_key = any($1::text[])";

static const char list_first[] = "select " USER_COLUMNS " from users order by id limit $1::int8";

static const char list_after[] =
        "select " USER_COLUMNS " from users where id > $2::uuid order by id limit $1::int8";

/* In order of email, then of arrival: batches at once do not deadlock, the first of equals wins. */
static const char insert[] =
        "with inserted as ("
        " insert into users (" USER_COLUMNS ") select " USER_COLUMNS
        " from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int4[], $6::int8[],"
        "  $7::int8[], $8::int8[]) with ordinality as i(" USER_COLUMNS ", n)"
        " order by email_key collate \"C\", n"
        " on conflict (email_key) do nothing returning id)"
        "select null::int8, 0, id, null::text, null::text, null::text, null::int4, null::int8,"
        " null::int8, null::int8 from inserted";

static const char update[] =
        "with locked as materialized ("
        " select i.*, u.version as stored"
        " from unnest(" UPDATE_ARRAYS(
                "$1", "$2", "$3", "$4", "$5", "$6", "$7") ") with ordinality as i(" UPDATE_COLUMNS
                                                          ", n)" LOCK_USERS ","
                                                          "changed as (" UPDATE_LOCKED
                                                          " returning l.n, " CHANGED_COLUMNS
                                                          ")" UPDATE_OUTCOMES;

static const char delete[] =
        "with locked as materialized ("
        " select i.*, u.version as stored"
        " from unnest($1::uuid[], $2::int8[]) with ordinality as i(id, want, n)" LOCK_USERS ","
        "gone as (" DELETE_LOCKED ")" DELETE_OUTCOMES;

/* The user of an insert is known beforehand, so it is in the log from the start. */
static const char claim_insert[] =
        "insert into users_request_log (principal, request_id, " LOG_COLUMNS ")"
        " select principal, request_id, hash, $5::int8, $4::int8, $6::int8,"
        "  id, email, email_key, name, age, create_time_us, update_time_us, version"
        " from unnest(" LOG_KEYS ", $8::uuid[], $9::text[], $10::text[], $11::text[],"
        "  $12::int4[], $13::int8[], $14::int8[], $15::int8[])"
        "  as i(principal, request_id, hash, " USER_COLUMNS ")"
        " order by principal collate \"C\", request_id" ON_CONFLICT_TAKE_EXPIRED;

static const char claim[] =
        "insert into users_request_log (principal, request_id, hash, kind, claim, created_us)"
        " select principal, request_id, hash, $5::int8, $4::int8, $6::int8"
        " from unnest(" LOG_KEYS ") as i(principal, request_id, hash)"
        " order by principal collate \"C\", request_id" ON_CONFLICT_TAKE_EXPIRED;

static const char claimed_insert[] = LOG_CTE(
        "",
        "") ","
            "inserted as ("
            " insert into users (" USER_COLUMNS ")"
            " select l_id, l_email, l_email_key, l_name, l_age, l_create_time_us,"
            "  l_update_time_us, l_version"
            " from log where claimed order by l_email_key collate \"C\", n"
            " on conflict (email_key) do nothing returning id),"
            "dropped as (" LOG_DROP " and g.l_id not in (select id from inserted))"
            "select null::int8, 0, id, null::text, null::text, null::text, null::int4, null::int8,"
            " null::int8, null::int8 from inserted"
            " union all " LOG_REPEATS;

static const char claimed_update[] =
        LOG_CTE(", " UPDATE_ARRAYS("$6", "$7", "$8", "$9", "$10", "$11", "$12"),
                ", " UPDATE_COLUMNS) ","
                                     "locked as materialized ("
                                     " select i.*, u.version as stored from (select * from log "
                                     "where claimed) i" LOCK_USERS ","
                                     "changed as (" UPDATE_LOCKED
                                     " returning l.n, l.principal, l.request_id, " CHANGED_COLUMNS
                                     "),"
                                     "filled as ("
                                     " update users_request_log l"
                                     " set (user_id, email, email_key, name, age, create_time_us, "
                                     "update_time_us, version)"
                                     "  = (c.id, c.email, c.email_key, c.name, c.age, "
                                     "c.create_time_us, c.update_time_us,"
                                     "   c.version)"
                                     " from changed c where l.principal = c.principal and "
                                     "l.request_id = c.request_id),"
                                     "dropped as (" LOG_DROP
                                     " and g.n not in (select n from changed))" UPDATE_OUTCOMES
                                     " union all " LOG_REPEATS;

static const char claimed_delete[] =
        LOG_CTE(", $6::uuid[], $7::int8[]",
                ", id, want") ","
                              "locked as materialized ("
                              " select i.*, u.version as stored from (select * from log where "
                              "claimed) i" LOCK_USERS ","
                              "gone as (" DELETE_LOCKED " returning l.n),"
                              "dropped as (" LOG_DROP
                              " and g.n not in (select n from gone))" DELETE_OUTCOMES
                              " union all " LOG_REPEATS;

/* Rows that another server purges, or that a claim takes over just now, are left alone. */
static const char purge[] =
        "with old as materialized ("
        " select principal, request_id from users_request_log where created_us <= $1::int8"
        " order by created_us limit $2::int8 for update skip locked)"
        "delete from users_request_log l using old o"
        " where l.principal = o.principal and l.request_id = o.request_id";

/*
 * The statements rely on read committed. Deadlines are the store's; the timeouts
 * end what nobody waits for any more, and a batch behind a row that somebody
 * else keeps locked. The last three keep generic plans to the indexes.
 */
static const char session[] =
        "select set_config('default_transaction_isolation', 'read committed', false),"
        " set_config('default_transaction_read_only', 'off', false),"
        " set_config('statement_timeout', '70s', false),"
        " set_config('lock_timeout', '2s', false),"
        " set_config('idle_in_transaction_session_timeout', '70s', false),"
        " set_config('plan_cache_mode', 'force_generic_plan', false),"
        " set_config('jit', 'off', false),"
        " set_config('enable_seqscan', 'off', false),"
        " set_config('enable_hashjoin', 'off', false),"
        " set_config('enable_mergejoin', 'off', false)";

const struct pg_statement_text pg_statements[PG_N_STATEMENTS] = {
        [PG_STATEMENT_FIND_BY_ID] = {"users_find_by_id", find_by_id},
        [PG_STATEMENT_FIND_BY_EMAIL] = {"users_find_by_email", find_by_email},
        [PG_STATEMENT_LIST_FIRST] = {"users_list_first", list_first},
        [PG_STATEMENT_LIST_AFTER] = {"users_list_after", list_after},
        [PG_STATEMENT_INSERT] = {"users_insert", insert},
        [PG_STATEMENT_UPDATE] = {"users_update", update},
        [PG_STATEMENT_DELETE] = {"users_delete", delete},
        [PG_STATEMENT_CLAIM_INSERT] = {"users_claim_insert", claim_insert},
        [PG_STATEMENT_CLAIM] = {"users_claim", claim},
        [PG_STATEMENT_CLAIMED_INSERT] = {"users_claimed_insert", claimed_insert},
        [PG_STATEMENT_CLAIMED_UPDATE] = {"users_claimed_update", claimed_update},
        [PG_STATEMENT_CLAIMED_DELETE] = {"users_claimed_delete", claimed_delete},
        [PG_STATEMENT_PURGE] = {"users_purge", purge},
        [PG_STATEMENT_SESSION] = {"users_session", session},
};
