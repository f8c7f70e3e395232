-- The store in a schema of its own, which nobody but the owner can put anything into. Servers have no right on its tables
-- but to read the audit log: what they do with tokens, they do by the functions below, which act as a role of its own and
-- write the audit log themselves. Time, id, database role and hash of a row come from here, never from who asks.
--
-- Where the tables were in another schema, servers of the version before go on by views of the same names there, until
-- `db init --finish` takes them away.

CREATE SCHEMA IF NOT EXISTS mcp_auth_store;

DO $$
DECLARE
    may TEXT := CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mcp_auth_keeper') THEN
        BEGIN
            CREATE ROLE mcp_auth_keeper NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Roles belong to all databases: another one's set-up was first.
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mcp_auth_keeper'
               AND (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole)) THEN
        RAISE EXCEPTION 'the role mcp_auth_keeper is there already, and may do more than it should: NOLOGIN and no other attribute'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT pg_catalog.pg_has_role(current_user, 'mcp_auth_keeper', may) THEN
        BEGIN
            EXECUTE pg_catalog.format('GRANT mcp_auth_keeper TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the role mcp_auth_keeper is there already, from another database of this server: whoever made it has to GRANT mcp_auth_keeper TO %, for the time of this',
                current_user USING ERRCODE = 'insufficient_privilege';
        END;
    END IF;
END
$$;

-- In the order in which servers take them. Whoever is at it ends first; `db init` waits half a second at a time, so that
-- servers never wait longer for it.
LOCK TABLE services, tokens, audit_chain, audit_log IN ACCESS EXCLUSIVE MODE;

-- Where the tables were, while servers of the version before may still look for them there; else empty.
CREATE TABLE mcp_auth_store.former_place (
    schema_name TEXT NOT NULL
);

DO $$
DECLARE
    former CONSTANT TEXT := (SELECT n.nspname FROM pg_catalog.pg_class c
                             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'audit_log'::regclass);
    item TEXT;
    columns TEXT;
    held RECORD;
BEGIN
    IF former = 'mcp_auth_store' THEN
        RETURN;
    END IF;
    -- Others may have put functions beside the tables.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    INSERT INTO mcp_auth_store.former_place VALUES (former);
    FOREACH item IN ARRAY ARRAY['services', 'tokens', 'audit_log', 'audit_chain', 'mcp_auth_migrations'] LOOP
        -- What comes from schema.sql has no record of migrations.
        CONTINUE WHEN to_regclass(format('%I.%I', former, item)) IS NULL;
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_catalog.pg_attribute
            WHERE attrelid = format('%I.%I', former, item)::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA mcp_auth_store', former, item);
        EXECUTE format('CREATE VIEW %I.%I AS SELECT %s FROM mcp_auth_store.%I', former, item, columns, item);
        -- Whoever had a right on the table has it on the view, and none on the table any more.
        FOR held IN
            SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS role,
                   string_agg(a.privilege_type, ', ') AS rights
            FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
            WHERE c.oid = format('mcp_auth_store.%I', item)::regclass AND a.grantee <> c.relowner GROUP BY 1
        LOOP
            EXECUTE format('GRANT %s ON %I.%I TO %s', held.rights, former, item, held.role);
            EXECUTE format('REVOKE ALL ON mcp_auth_store.%I FROM %s', item, held.role);
        END LOOP;
    END LOOP;
    FOREACH item IN ARRAY ARRAY['mcp_auth_refuse_change', 'mcp_auth_chain_advances', 'mcp_auth_notify_change'] LOOP
        EXECUTE format('ALTER FUNCTION %I.%I() SET SCHEMA mcp_auth_store', former, item);
    END LOOP;
END
$$;

-- From here on names mean what is in the schema.
SET LOCAL search_path = mcp_auth_store, pg_temp;

ALTER TABLE audit_log
    -- Which role of the database did it (session_user). NULL in rows of the first version, which servers wrote themselves.
    ADD COLUMN database_user TEXT,
    -- The transaction that wrote the row. A token is handed out to another one only: a row that can still be undone is none.
    ADD COLUMN written_in XID8,
    DROP CONSTRAINT audit_log_action_known,
    ADD CONSTRAINT audit_log_action_known
        CHECK (action IN ('get', 'set', 'delete', 'list', 'rotate', 'expire')) NOT VALID;

ALTER TABLE audit_chain
    -- The time of the last row: no later one is before it, also where the clock is set back.
    ADD COLUMN last_at TIMESTAMPTZ NOT NULL DEFAULT '-infinity',
    -- How many rows were removed from the beginning by retention, and the hash of the last of them.
    ADD COLUMN expired_count BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN expired_hash BYTEA NOT NULL DEFAULT decode(repeat('00', 32), 'hex');

-- How often tokens have changed. A notification is a hint that anybody can give; this is what counts.
CREATE TABLE token_changes (
    one   BOOLEAN PRIMARY KEY DEFAULT true,
    count BIGINT NOT NULL,
    CONSTRAINT token_changes_one_row CHECK (one)
) WITH (fillfactor = 10);

INSERT INTO token_changes (count) VALUES (0);

-- Who called which tool: no arguments, no answers.
CREATE TABLE tool_calls (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id    BIGINT NOT NULL REFERENCES services (id) ON DELETE RESTRICT,
    "timestamp"   TIMESTAMPTZ NOT NULL,
    caller        TEXT NOT NULL,
    kind          TEXT NOT NULL,
    issuer        TEXT,
    tool          TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    duration_ms   BIGINT NOT NULL,
    request_id    TEXT,
    database_user TEXT NOT NULL,
    CONSTRAINT tool_calls_fit CHECK (octet_length(caller) <= 320 AND octet_length(kind) <= 32 AND octet_length(issuer) <= 2000
        AND octet_length(tool) <= 255 AND octet_length(outcome) <= 64 AND octet_length(request_id) <= 255)
);

CREATE INDEX tool_calls_timestamp_index ON tool_calls ("timestamp");

-- Nobody changes the audit log; retention, which acts as mcp_auth_keeper, removes its oldest rows.
CREATE OR REPLACE FUNCTION mcp_auth_refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_log' AND current_user = 'mcp_auth_keeper' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE FUNCTION mcp_auth_chain_advances() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    IF NEW.count = OLD.count + 1 AND NEW.expired_count = OLD.expired_count THEN
        RETURN NEW;
    ELSIF current_user = 'mcp_auth_keeper' AND NEW.count = OLD.count AND NEW.hash = OLD.hash
        AND NEW.expired_count BETWEEN OLD.expired_count AND OLD.count THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit chain advances by one row at a time'
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- What is told has no names: any role that may connect can listen.
CREATE OR REPLACE FUNCTION mcp_auth_notify_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    UPDATE token_changes SET count = count + 1;
    PERFORM pg_notify('mcp_auth_tokens', '');
    RETURN NULL;
END
$$;

-- A field as it goes into a hash: whether it is there, its length, its bytes.
CREATE FUNCTION audit_field(content BYTEA) RETURNS BYTEA LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN content IS NULL THEN '\x00'::bytea
           ELSE '\x01'::bytea OPERATOR(pg_catalog.||) pg_catalog.int4send(pg_catalog.octet_length(content))
                OPERATOR(pg_catalog.||) content END
$$;

-- Appends a row to the audit log. The head's row is locked from here to the end of the transaction, which puts all
-- operations of all servers in a row: that is the price of a chain.
CREATE FUNCTION append_audit(
    the_service BIGINT, the_action TEXT, the_outcome TEXT, the_key TEXT, the_actor TEXT, the_detail TEXT
) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    head audit_chain;
    moment TIMESTAMPTZ;
    who CONSTANT TEXT := session_user;
    service_name TEXT;
    digest BYTEA;
BEGIN
    SELECT * INTO head FROM audit_chain FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head of the audit log is missing' USING ERRCODE = 'MA001';
    END IF;
    -- The clock is read once the lock is held: times rise with the ids.
    moment := greatest(clock_timestamp(), head.last_at);
    head.count := head.count + 1;
    SELECT name INTO service_name FROM services WHERE id = the_service;
    digest := sha256(
        audit_field('mcp-auth-middleware v2 audit row') || audit_field(head.hash) || audit_field(int8send(head.count))
        || audit_field(int8send((extract(epoch FROM moment) * 1000000)::bigint)) || audit_field(int8send(the_service))
        || audit_field(convert_to(service_name, 'UTF8')) || audit_field(convert_to(the_action, 'UTF8'))
        || audit_field(convert_to(the_outcome, 'UTF8')) || audit_field(convert_to(the_key, 'UTF8'))
        || audit_field(convert_to(the_actor, 'UTF8')) || audit_field(convert_to(the_detail, 'UTF8'))
        || audit_field(convert_to(who, 'UTF8')));
    INSERT INTO audit_log (id, service_id, action, user_email, "timestamp", outcome, token_key, detail, previous_hash, hash,
                           database_user, written_in)
        VALUES (head.count, the_service, the_action, the_actor, moment, the_outcome, the_key, the_detail, head.hash, digest,
                who, pg_current_xact_id());
    UPDATE audit_chain SET count = head.count, hash = digest, last_at = moment;
    RETURN head.count;
END
$$;

-- The row of a service, which comes into being with the first operation on it: also what is asked for in vain needs one,
-- to be audited.
CREATE FUNCTION service_of(the_name TEXT) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    found_id BIGINT;
BEGIN
    LOOP
        SELECT id INTO found_id FROM services WHERE name = the_name;
        EXIT WHEN FOUND;
        INSERT INTO services (name) VALUES (the_name) ON CONFLICT (name) DO NOTHING RETURNING id INTO found_id;
        EXIT WHEN FOUND;
    END LOOP;
    RETURN found_id;
END
$$;

-- The row that a token is handed out for: of this role, young, and of a transaction that has ended.
CREATE FUNCTION audited(the_row BIGINT, the_action TEXT) RETURNS audit_log LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    found_row audit_log;
BEGIN
    SELECT * INTO found_row FROM audit_log WHERE id = the_row;
    IF NOT FOUND OR found_row.action <> the_action OR found_row.outcome <> 'ok'
        OR found_row.database_user IS DISTINCT FROM session_user::text
        OR found_row.written_in IS NOT DISTINCT FROM pg_current_xact_id()
        OR found_row."timestamp" < clock_timestamp() - interval '1 minute' THEN
        RAISE EXCEPTION 'no row of the audit log stands for this' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN found_row;
END
$$;

-- What servers may call.

CREATE FUNCTION begin_read(the_service TEXT, the_key TEXT, the_actor TEXT, OUT audit_row BIGINT, OUT stored BOOLEAN)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    service CONSTANT BIGINT := service_of(the_service);
BEGIN
    stored := EXISTS (SELECT FROM tokens WHERE service_id = service AND key = the_key);
    audit_row := append_audit(service, 'get', CASE WHEN stored THEN 'ok' ELSE 'not_found' END, the_key, the_actor, NULL);
END
$$;

CREATE FUNCTION finish_read(the_row BIGINT) RETURNS BYTEA LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    told CONSTANT audit_log := audited(the_row, 'get');
BEGIN
    RETURN (SELECT encrypted_value FROM tokens WHERE service_id = told.service_id AND key = told.token_key);
END
$$;

-- Both at once. It acts as whoever calls it, and has no rights of its own.
CREATE PROCEDURE read_token(
    the_service TEXT, the_key TEXT, the_actor TEXT, INOUT sealed BYTEA
) LANGUAGE plpgsql AS $$
DECLARE
    told RECORD;
BEGIN
    SELECT * INTO told FROM mcp_auth_store.begin_read(the_service, the_key, the_actor);
    COMMIT;
    IF told.stored THEN
        sealed := mcp_auth_store.finish_read(told.audit_row);
    END IF;
END
$$;

CREATE FUNCTION report_unreadable(the_service TEXT, the_key TEXT, the_action TEXT, the_actor TEXT, the_detail TEXT)
RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    IF the_action NOT IN ('get', 'rotate') THEN
        RAISE EXCEPTION 'neither read nor rotated' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM append_audit(service_of(the_service), the_action, 'decrypt_failed', the_key, the_actor, the_detail);
END
$$;

-- Sealing is deterministic, so that an equal value is an equal ciphertext, and is no change.
CREATE FUNCTION set_token(the_service TEXT, the_key TEXT, the_value BYTEA, the_actor TEXT)
RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    service CONSTANT BIGINT := service_of(the_service);
BEGIN
    INSERT INTO tokens (service_id, key, encrypted_value) VALUES (service, the_key, the_value)
        ON CONFLICT (service_id, key) DO UPDATE SET
            encrypted_value = EXCLUDED.encrypted_value,
            updated_at = CASE WHEN tokens.encrypted_value = EXCLUDED.encrypted_value
                              THEN tokens.updated_at ELSE clock_timestamp() END;
    PERFORM append_audit(service, 'set', 'ok', the_key, the_actor, NULL);
END
$$;

CREATE FUNCTION delete_token(the_service TEXT, the_key TEXT, the_actor TEXT)
RETURNS BOOLEAN LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    service CONSTANT BIGINT := service_of(the_service);
    existed BOOLEAN;
BEGIN
    DELETE FROM tokens WHERE service_id = service AND key = the_key;
    existed := FOUND;
    PERFORM append_audit(service, 'delete', CASE WHEN existed THEN 'ok' ELSE 'not_found' END, the_key, the_actor, NULL);
    RETURN existed;
END
$$;

CREATE FUNCTION list_tokens(the_service TEXT, the_actor TEXT)
RETURNS TABLE (token_key TEXT, created BIGINT, updated BIGINT)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    service CONSTANT BIGINT := service_of(the_service);
BEGIN
    PERFORM append_audit(service, 'list', 'ok', NULL, the_actor, NULL);
    RETURN QUERY SELECT t.key::text, (extract(epoch FROM t.created_at) * 1000000)::bigint,
                        (extract(epoch FROM t.updated_at) * 1000000)::bigint
                 FROM tokens t WHERE t.service_id = service ORDER BY t.key;
END
$$;

-- Names, and the heads of what is stored: version and key, never the rest.
CREATE FUNCTION survey(the_service TEXT) RETURNS TABLE (token_key TEXT, head BYTEA)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
    SELECT t.key::text, substring(t.encrypted_value FROM 1 FOR 9)
    FROM tokens t JOIN services s ON s.id = t.service_id WHERE s.name = the_service ORDER BY t.key
$$;

CREATE FUNCTION changes_so_far() RETURNS BIGINT LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
    SELECT count FROM token_changes
$$;

-- A rotation says what it is about to do, does it in batches, each of which says what it did, and says what it has done.
CREATE FUNCTION note_rotation(the_actor TEXT, the_detail TEXT) RETURNS BIGINT LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
    SELECT append_audit(NULL, 'rotate', 'ok', NULL, the_actor, the_detail)
$$;

-- Tokens after an id that are not sealed with the active key, locked until the end of the transaction. In the order of
-- ids: two rotations that wait for each other's rows do so in one direction. Readers are not held up.
CREATE FUNCTION rotation_batch(
    the_row BIGINT, the_header BYTEA, after BIGINT, waiting BOOLEAN, except_for BIGINT[], most BIGINT
) RETURNS TABLE (token_id BIGINT, service_name TEXT, token_key TEXT, sealed BYTEA)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    PERFORM audited(the_row, 'rotate');
    IF waiting THEN
        RETURN QUERY SELECT t.id, s.name::text, t.key::text, t.encrypted_value
            FROM tokens t JOIN services s ON s.id = t.service_id
            WHERE t.id > after AND substring(t.encrypted_value FROM 1 FOR octet_length(the_header)) <> the_header
                AND t.id <> ALL (except_for)
            ORDER BY t.id LIMIT most FOR UPDATE OF t;
    ELSE
        RETURN QUERY SELECT t.id, s.name::text, t.key::text, t.encrypted_value
            FROM tokens t JOIN services s ON s.id = t.service_id
            WHERE t.id > after AND substring(t.encrypted_value FROM 1 FOR octet_length(the_header)) <> the_header
                AND t.id <> ALL (except_for)
            ORDER BY t.id LIMIT most FOR UPDATE OF t SKIP LOCKED;
    END IF;
END
$$;

CREATE FUNCTION finish_batch(ids BIGINT[], sealed BYTEA[], the_actor TEXT, the_detail TEXT)
RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    UPDATE tokens SET encrypted_value = new.value FROM unnest(ids, sealed) AS new (id, value) WHERE tokens.id = new.id;
    RETURN append_audit(NULL, 'rotate', 'ok', NULL, the_actor, the_detail);
END
$$;

CREATE FUNCTION rotation_remaining(the_header BYTEA, except_for BIGINT[]) RETURNS BIGINT LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
    SELECT count(*) FROM tokens
    WHERE substring(encrypted_value FROM 1 FOR octet_length(the_header)) <> the_header AND id <> ALL (except_for)
$$;

CREATE FUNCTION record_calls(the_service TEXT, calls JSONB) RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    INSERT INTO tool_calls (service_id, "timestamp", caller, kind, issuer, tool, outcome, duration_ms, request_id, database_user)
        SELECT service_of(the_service), clock_timestamp() - make_interval(secs => least(greatest(c.age_ms, 0), 3600000) / 1000.0),
               c.caller, c.kind, c.issuer, c.tool, c.outcome, c.duration_ms, c.request_id, session_user
        FROM jsonb_to_recordset(calls) AS c (age_ms BIGINT, caller TEXT, kind TEXT, issuer TEXT, tool TEXT, outcome TEXT,
                                             duration_ms BIGINT, request_id TEXT);
END
$$;

-- What the owner may call: retention. At least the last row stays, and that rows were removed stands in the log itself.

CREATE FUNCTION expire_audit(before TIMESTAMPTZ, the_actor TEXT) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    head audit_chain;
    last_id BIGINT;
    last_hash BYTEA;
BEGIN
    SELECT * INTO head FROM audit_chain FOR UPDATE;
    SELECT coalesce((SELECT min(id) FROM audit_log WHERE "timestamp" >= before), head.count) - 1 INTO last_id;
    IF NOT FOUND OR last_id <= head.expired_count THEN
        RETURN 0;
    END IF;
    SELECT hash INTO STRICT last_hash FROM audit_log WHERE id = last_id;
    DELETE FROM audit_log WHERE id <= last_id;
    UPDATE audit_chain SET expired_count = last_id, expired_hash = last_hash;
    PERFORM append_audit(NULL, 'expire', 'ok', NULL, the_actor,
        format('rows %s to %s were removed; last hash %s', head.expired_count + 1, last_id, encode(last_hash, 'hex')));
    RETURN last_id - head.expired_count;
END
$$;

CREATE FUNCTION expire_calls(before TIMESTAMPTZ) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
DECLARE
    gone BIGINT;
BEGIN
    DELETE FROM tool_calls WHERE "timestamp" < before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- For servers of the version before, which make their rows of the audit log themselves: of what they give, id, time and
-- hash do not count, and the head moves by itself.

CREATE FUNCTION former_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    NEW.id := append_audit(NEW.service_id, NEW.action, NEW.outcome, NEW.token_key, NEW.user_email, NEW.detail);
    NEW.hash := (SELECT hash FROM audit_log WHERE id = NEW.id);
    RETURN NEW;
END
$$;

CREATE FUNCTION former_advance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, mcp_auth_store, pg_temp AS $$
BEGIN
    RETURN NEW;
END
$$;

DO $$
DECLARE
    former CONSTANT TEXT := (SELECT schema_name FROM former_place);
BEGIN
    IF former IS NOT NULL THEN
        EXECUTE format('CREATE TRIGGER former_append INSTEAD OF INSERT ON %I.audit_log
                        FOR EACH ROW EXECUTE FUNCTION former_append()', former);
        EXECUTE format('CREATE TRIGGER former_advance INSTEAD OF UPDATE ON %I.audit_chain
                        FOR EACH ROW EXECUTE FUNCTION former_advance()', former);
    END IF;
END
$$;

-- The keeper has exactly what its functions need, and nobody else may call them until they are granted.
GRANT USAGE, CREATE ON SCHEMA mcp_auth_store TO mcp_auth_keeper;
GRANT SELECT, INSERT ON services TO mcp_auth_keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON tokens TO mcp_auth_keeper;
GRANT SELECT, INSERT, DELETE ON audit_log TO mcp_auth_keeper;
GRANT SELECT, UPDATE ON audit_chain, token_changes TO mcp_auth_keeper;
GRANT SELECT, INSERT, DELETE ON tool_calls TO mcp_auth_keeper;
REVOKE ALL ON ALL ROUTINES IN SCHEMA mcp_auth_store FROM PUBLIC;

DO $$
DECLARE
    routine RECORD;
BEGIN
    FOR routine IN SELECT oid::regprocedure AS name FROM pg_catalog.pg_proc
        WHERE pronamespace = 'mcp_auth_store'::regnamespace AND prosecdef
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO mcp_auth_keeper', routine.name);
        -- The owner calls what nobody else may, and says who may.
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO CURRENT_USER WITH GRANT OPTION', routine.name);
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION audit_field(BYTEA) TO mcp_auth_keeper;
REVOKE CREATE ON SCHEMA mcp_auth_store FROM mcp_auth_keeper;

-- Nobody acts as the keeper but by its functions: whoever has made them was a member of it for that alone.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        EXECUTE pg_catalog.format('REVOKE mcp_auth_keeper FROM %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    NULL; -- Somebody else has given it, and takes it back.
END
$$;
