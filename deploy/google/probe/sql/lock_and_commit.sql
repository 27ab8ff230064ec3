BEGIN TRANSACTION;

UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE TRUE;

COMMIT TRANSACTION;
