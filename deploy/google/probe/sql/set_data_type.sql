ALTER TABLE {{ table | identifier }} ALTER COLUMN {{ column | identifier }} SET DATA TYPE NUMERIC
