"""The trigger that counts new identities.

By row, so that requests of those who are there already cost nothing. In plain SQL and not by pgtrigger, which
puts something before each function, to let a transaction switch triggers off: that takes several times as
long as all the rest.
"""

COUNT_NEW = """
CREATE FUNCTION identities_count_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO identities_identitycountchange (environment_id, change) VALUES (NEW.environment_id, 1);
    RETURN NULL;
END $$;
CREATE TRIGGER count_new AFTER INSERT ON identities_identity
FOR EACH ROW EXECUTE FUNCTION identities_count_new();
"""
COUNT_NEW_NO_MORE = """
DROP TRIGGER count_new ON identities_identity;
DROP FUNCTION identities_count_new;
"""
