{# A column's values as a wider type, which each of them fits. #}
ALTER TABLE {{ main | identifier }} ALTER COLUMN {{ column | identifier }} SET DATA TYPE {{ kind }}
