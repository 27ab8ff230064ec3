{# A transaction that has the lock; the session ends it. #}
BEGIN TRANSACTION;

UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE TRUE;
