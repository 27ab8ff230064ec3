{# A view that comes with a main table. #}
DROP VIEW IF EXISTS {{ view | identifier }}
