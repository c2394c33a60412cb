"""What SQL locks, by PostgreSQL's manual ("Explicit Locking", and each statement's page).

Only for the kinds of statements that migrations are made of. What isn't known is said to be unknown, never to
be harmless.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
SHARE = "SHARE"
SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
ROW_EXCLUSIVE = "ROW EXCLUSIVE"
UNKNOWN = "unknown"
# From the one that most others wait for to the one that nearly nobody does.
MODES = (
    UNKNOWN,
    ACCESS_EXCLUSIVE,
    "EXCLUSIVE",
    SHARE_ROW_EXCLUSIVE,
    SHARE,
    SHARE_UPDATE_EXCLUSIVE,
    ROW_EXCLUSIVE,
)
# Who waits for whoever holds it, of those that read and write rows.
WAITING = {
    UNKNOWN: "read its SQL",
    ACCESS_EXCLUSIVE: "reads and writes wait",
    "EXCLUSIVE": "writes wait",
    SHARE_ROW_EXCLUSIVE: "writes wait",
    SHARE: "writes wait",
    SHARE_UPDATE_EXCLUSIVE: "nobody waits",
    ROW_EXCLUSIVE: "only writes of the same rows wait",
}


@dataclass(frozen=True)
class Lock:
    """A lock that a statement takes, until its transaction ends.

    Attributes:
        mode: in PostgreSQL's words.
        kind: what `name` is of: "table"; "index" or "constraint", whose tables the database knows;
            "references", of a table to others; or "statement".
        trigger: the lock is only taken if the table has this trigger.
        work: what is done while it is held, if that takes the longer the more rows there are.
    """

    mode: str
    name: str
    kind: str = "table"
    work: str = ""
    trigger: str = ""


_NAME = r'(?:"?public"?\.)?"?(?P<name>\w+)"?'
_READS, _REWRITES = "all rows are read", "all rows may be written anew"
_HARMLESS = re.compile(
    r"(CREATE( OR REPLACE)? (FUNCTION|SEQUENCE|EXTENSION|TYPE|VIEW|STATISTICS)|DROP (FUNCTION|SEQUENCE|TYPE)"
    r"|ALTER (FUNCTION|SEQUENCE)|SET\s|SELECT\s|BEGIN|COMMIT|COMMENT ON (FUNCTION|COLUMN|TABLE)|ANALYZE)",
    re.IGNORECASE,
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s+").replace("NAME", _NAME), re.IGNORECASE | re.DOTALL)


_ALTER = _pattern(r"ALTER TABLE (IF EXISTS )?(ONLY )?NAME (?P<what>.*)")
_REFERENCE = _pattern(r"\bREFERENCES NAME")
# Of `ALTER TABLE`, what needs less than everything.
_MILD_ALTERATIONS = (
    (_pattern(r"VALIDATE CONSTRAINT "), SHARE_UPDATE_EXCLUSIVE, _READS),
    (_pattern(r"ADD CONSTRAINT \S+ FOREIGN KEY .* NOT VALID"), SHARE_ROW_EXCLUSIVE, ""),
    (_pattern(r"ADD CONSTRAINT \S+ FOREIGN KEY "), SHARE_ROW_EXCLUSIVE, _READS),
    (_pattern(r"(SET|RESET) \("), SHARE_UPDATE_EXCLUSIVE, ""),
    (_pattern(r"ALTER COLUMN \S+ SET (STATISTICS|\()"), SHARE_UPDATE_EXCLUSIVE, ""),
    (_pattern(r"ATTACH PARTITION "), SHARE_UPDATE_EXCLUSIVE, _READS),
    (_pattern(r"(ENABLE|DISABLE) (REPLICA |ALWAYS )?TRIGGER "), SHARE_ROW_EXCLUSIVE, ""),
)
_HEAVY_ALTERATIONS = (
    (_pattern(r"ALTER COLUMN \S+ (SET DATA )?TYPE "), _REWRITES),
    (_pattern(r"ALTER COLUMN \S+ SET NOT NULL"), _READS),
    (_pattern(r"ADD CONSTRAINT \S+ (CHECK|EXCLUDE) .* NOT VALID"), ""),
    (_pattern(r"ADD CONSTRAINT \S+ (UNIQUE|PRIMARY KEY) USING INDEX"), ""),
    (_pattern(r"ADD CONSTRAINT \S+ (CHECK|UNIQUE|PRIMARY KEY|EXCLUDE)"), _READS),
    (_pattern(r"ADD COLUMN .* GENERATED ALWAYS AS \((?!.*IDENTITY)"), _REWRITES),
    (_pattern(r"ADD COLUMN .* DEFAULT [^,]*(random|clock_timestamp|gen_random_uuid|nextval)\("), _REWRITES),
    (_pattern(r"ADD COLUMN .* (SERIAL|IDENTITY)"), _REWRITES),
    (_pattern(r"SET TABLESPACE|SET (LOGGED|UNLOGGED)"), _REWRITES),
)
_DROPPED_CONSTRAINT = _pattern(r"DROP CONSTRAINT (IF EXISTS )?NAME")
_OTHERS = (
    (
        _pattern(r"CREATE (UNIQUE )?INDEX CONCURRENTLY .*? ON (ONLY )?NAME"),
        SHARE_UPDATE_EXCLUSIVE,
        "table",
        _READS,
    ),
    (_pattern(r"CREATE (UNIQUE )?INDEX .*? ON (ONLY )?NAME"), SHARE, "table", _READS),
    (_pattern(r"DROP INDEX CONCURRENTLY (IF EXISTS )?NAME"), SHARE_UPDATE_EXCLUSIVE, "index", ""),
    (_pattern(r"DROP INDEX (IF EXISTS )?NAME"), ACCESS_EXCLUSIVE, "index", ""),
    (_pattern(r"ALTER INDEX (IF EXISTS )?NAME"), SHARE_UPDATE_EXCLUSIVE, "index", ""),
    (
        _pattern(r"CREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER \S+ .*? ON NAME"),
        SHARE_ROW_EXCLUSIVE,
        "table",
        "",
    ),
    (_pattern(r'DROP TRIGGER (IF EXISTS "?(?P<trigger>\w+)"?|\S+) ON NAME'), ACCESS_EXCLUSIVE, "table", ""),
    (_pattern(r"COMMENT ON TRIGGER \S+ ON NAME"), SHARE_UPDATE_EXCLUSIVE, "table", ""),
    (_pattern(r"TRUNCATE (TABLE )?(ONLY )?NAME"), ACCESS_EXCLUSIVE, "table", ""),
    (_pattern(r"UPDATE (ONLY )?NAME "), ROW_EXCLUSIVE, "table", _REWRITES),
    (_pattern(r"DELETE FROM (ONLY )?NAME"), ROW_EXCLUSIVE, "table", _READS),
    (_pattern(r"INSERT INTO NAME"), ROW_EXCLUSIVE, "table", ""),
    (_pattern(r"CREATE TABLE (IF NOT EXISTS )?\S+ PARTITION OF NAME"), ACCESS_EXCLUSIVE, "table", ""),
)
_CREATED = _pattern(r"CREATE TABLE (IF NOT EXISTS )?NAME")
_DROP_TABLE = _pattern(r"DROP TABLE (IF EXISTS )?NAME")
_LOCK_TABLE = _pattern(r"LOCK (TABLE )?(ONLY )?NAME IN (?P<mode>[A-Z ]+?) MODE")


def locks_of(sql: str) -> Iterator[Lock]:
    """Give the locks on tables that were there before, statement by statement, in order."""
    for statement in split(sql):
        yield from _locks_of_statement(statement)


def created_by(sql: str) -> Iterator[str]:
    """Give the names of the tables that are made."""
    for statement in split(sql):
        if found := _CREATED.match(statement):
            yield found["name"]


def split(sql: str) -> list[str]:
    """Return the statements, without comments and what functions consist of; texts are empty."""
    sql = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", sql, flags=re.DOTALL)
    sql = re.sub(r"'(?:[^']|'')*'", "''", sql)
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    return [statement.strip() for statement in sql.split(";") if statement.strip()]


def _locks_of_statement(statement: str) -> Iterator[Lock]:
    if found := _ALTER.match(statement):
        yield from _locks_of_alteration(found["name"], found["what"])
        return
    if found := _LOCK_TABLE.match(statement):
        yield Lock(found["mode"].upper(), found["name"])
        return
    if found := _DROP_TABLE.match(statement):
        yield Lock(ACCESS_EXCLUSIVE, found["name"])
        yield Lock(ACCESS_EXCLUSIVE, found["name"], "references")
        return
    for pattern, mode, kind, work in _OTHERS:
        if found := pattern.match(statement):
            yield Lock(mode, found["name"], kind, work, found.groupdict().get("trigger") or "")
            return
    if _CREATED.match(statement):
        yield from (Lock(SHARE_ROW_EXCLUSIVE, name) for name in _referenced_by(statement))
    elif not _HARMLESS.match(statement):
        yield Lock(UNKNOWN, statement[:60], "statement")


def _locks_of_alteration(table: str, what: str) -> Iterator[Lock]:
    for pattern, mode, work in _MILD_ALTERATIONS:
        if pattern.match(what):
            yield Lock(mode, table, work=work)
            break
    else:
        work = next((work for pattern, work in _HEAVY_ALTERATIONS if pattern.search(what)), "")
        yield Lock(ACCESS_EXCLUSIVE, table, work=work)
    for found in _DROPPED_CONSTRAINT.finditer(what):
        yield Lock(ACCESS_EXCLUSIVE, found["name"], "constraint")
    yield from (Lock(SHARE_ROW_EXCLUSIVE, name) for name in _referenced_by(what) if name != table)


def _referenced_by(text: str) -> list[str]:
    return [found["name"] for found in _REFERENCE.finditer(text)]
