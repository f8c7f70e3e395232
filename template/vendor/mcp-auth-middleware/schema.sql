-- The tables of the token store, for reading. They are made by `db init` from migrations/, which is what counts;
-- a test holds this file to it.

-- Encrypted tokens of services, and an audit log whose rows are chained by hashes.
-- Names compare by bytes ("C"): independent of the locale, and indexes survive its upgrades.

CREATE TABLE services (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT services_name_unique UNIQUE (name),
    CONSTRAINT services_name_fits CHECK (octet_length(name) BETWEEN 1 AND 255 AND name !~ '[\x01-\x1f\x7f]')
);

CREATE TABLE tokens (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id      BIGINT NOT NULL REFERENCES services (id) ON DELETE RESTRICT,
    key             TEXT COLLATE "C" NOT NULL,
    -- Never a plaintext: version, key id, nonce, ciphertext and tag.
    encrypted_value BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When the value last changed; rotating the encryption key leaves it alone.
    updated_at      TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT tokens_service_key_unique UNIQUE (service_id, key),
    CONSTRAINT tokens_key_fits CHECK (octet_length(key) BETWEEN 1 AND 255 AND key !~ '[\x01-\x1f\x7f]'),
    CONSTRAINT tokens_value_fits CHECK (octet_length(encrypted_value) BETWEEN 1 AND 131072)
);

CREATE TABLE audit_log (
    -- Given by audit_chain, without gaps, so that a removed row is missed.
    id            BIGINT PRIMARY KEY,
    -- NULL where an action is about all services.
    service_id    BIGINT REFERENCES services (id) ON DELETE RESTRICT,
    action        TEXT NOT NULL,
    user_email    TEXT NOT NULL,
    "timestamp"   TIMESTAMPTZ NOT NULL,
    outcome       TEXT NOT NULL,
    token_key     TEXT COLLATE "C",
    detail        TEXT,
    previous_hash BYTEA NOT NULL,
    hash          BYTEA NOT NULL,
    CONSTRAINT audit_log_id_positive CHECK (id > 0),
    CONSTRAINT audit_log_action_known CHECK (action IN ('get', 'set', 'delete', 'list', 'rotate')),
    CONSTRAINT audit_log_outcome_known CHECK (outcome IN ('ok', 'not_found', 'decrypt_failed')),
    CONSTRAINT audit_log_user_fits CHECK (octet_length(user_email) BETWEEN 1 AND 320),
    CONSTRAINT audit_log_detail_fits CHECK (octet_length(detail) <= 2000),
    CONSTRAINT audit_log_hashes_fit CHECK (octet_length(previous_hash) = 32 AND octet_length(hash) = 32)
);

CREATE INDEX audit_log_service_index ON audit_log (service_id, id);
CREATE INDEX audit_log_timestamp_index ON audit_log ("timestamp");

-- One row: how long the chain is and how it ends. Locking it puts appends in a row; knowing it shows a cut-off tail.
CREATE TABLE audit_chain (
    one   BOOLEAN PRIMARY KEY DEFAULT true,
    count BIGINT NOT NULL,
    hash  BYTEA NOT NULL,
    CONSTRAINT audit_chain_one_row CHECK (one),
    CONSTRAINT audit_chain_hash_fits CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 10);

INSERT INTO audit_chain (count, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- The server's role has no right to change audit rows. The triggers hold everybody else off as well, the owner of the
-- tables included, who may be the server where there is only one role; the owner can disable them, on purpose.
CREATE FUNCTION mcp_auth_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION mcp_auth_refuse_change();

CREATE TRIGGER audit_chain_stays BEFORE DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION mcp_auth_refuse_change();

CREATE FUNCTION mcp_auth_chain_advances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.count IS DISTINCT FROM OLD.count + 1 THEN
        RAISE EXCEPTION 'the audit chain advances by one row at a time'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_chain_advances BEFORE UPDATE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION mcp_auth_chain_advances();

-- Whoever changes a token, by whatever program: caches hear of it when the change is committed. The payload names the
-- token and holds no value. A rotated row keeps updated_at and is no news.
CREATE FUNCTION mcp_auth_notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed tokens;
    service TEXT;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_notify('mcp_auth_tokens', 'all');
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        changed := OLD;
    ELSE
        changed := NEW;
    END IF;
    EXECUTE format('SELECT name FROM %I.services WHERE id = $1', TG_TABLE_SCHEMA) INTO service USING changed.service_id;
    PERFORM pg_notify('mcp_auth_tokens', json_build_object('service', service, 'key', changed.key)::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER tokens_notify_added AFTER INSERT OR DELETE ON tokens
    FOR EACH ROW EXECUTE FUNCTION mcp_auth_notify_change();

CREATE TRIGGER tokens_notify_emptied AFTER TRUNCATE ON tokens
    FOR EACH STATEMENT EXECUTE FUNCTION mcp_auth_notify_change();

CREATE TRIGGER tokens_notify_changed AFTER UPDATE ON tokens
    FOR EACH ROW WHEN (OLD.updated_at IS DISTINCT FROM NEW.updated_at OR OLD.key IS DISTINCT FROM NEW.key)
    EXECUTE FUNCTION mcp_auth_notify_change();
