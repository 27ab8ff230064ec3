{# The view of the rows without tombstones, which comes with every main table. #}
DROP VIEW IF EXISTS {{ current | identifier }}
