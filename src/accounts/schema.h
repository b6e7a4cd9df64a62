#pragma once

#include <array>

#include "store/migrate.h"

namespace chappe::accounts {

// "Chap" in the header of chappe.db, the file of what people manage.
inline constexpr std::int32_t application_id = 0x43686170;

// Released steps are never changed; see store/migrate.h.
inline constexpr std::array migrations{
    store::Migration{R"(
        CREATE TABLE users(
            name TEXT NOT NULL PRIMARY KEY,
            password_hash TEXT,
            scram_keys TEXT,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            comment TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE roles(
            name TEXT NOT NULL PRIMARY KEY,
            comment TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Positions of a role are 1, 2, 3 and so on.
        CREATE TABLE rules(
            role TEXT NOT NULL REFERENCES roles ON UPDATE CASCADE ON DELETE CASCADE,
            position INTEGER NOT NULL CHECK (position > 0),
            text TEXT NOT NULL,
            PRIMARY KEY (role, position)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE user_roles(
            user TEXT NOT NULL REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE,
            role TEXT NOT NULL REFERENCES roles ON UPDATE CASCADE ON DELETE CASCADE,
            PRIMARY KEY (user, role)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX user_roles_by_role ON user_roles(role);

        CREATE TABLE fingerprints(
            fingerprint TEXT NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 64),
            user TEXT NOT NULL REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX fingerprints_by_user ON fingerprints(user);

        -- until is NULL for a ban that does not end.
        CREATE TABLE bans(
            kind TEXT NOT NULL CHECK (kind IN ('address', 'user', 'client')),
            value TEXT NOT NULL,
            until INTEGER,
            reason TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (kind, value)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX bans_by_end ON bans(until) WHERE until IS NOT NULL;

        -- What most people need, to be changed as they like.
        INSERT INTO roles VALUES
            ('admin', 'Everything, the broker''s own topics included'),
            ('editor', 'Publish and subscribe to all topics'),
            ('viewer', 'Subscribe to all topics'),
            ('device', 'Publish and subscribe below devices/USERNAME');
        INSERT INTO rules VALUES
            ('admin', 1, 'allow all #'),
            ('admin', 2, 'allow subscribe $SYS/#'),
            ('admin', 3, 'allow all $CONTROL/#'),
            ('editor', 1, 'allow all #'),
            ('viewer', 1, 'allow subscribe #'),
            ('device', 1, 'allow publish devices/${username}/#'),
            ('device', 2, 'allow subscribe devices/${username}/#');
    )"},
    store::Migration{R"(
        -- Random bytes of the server's own, in base 64.
        CREATE TABLE secrets(
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
    )"},
};

}  // namespace chappe::accounts
