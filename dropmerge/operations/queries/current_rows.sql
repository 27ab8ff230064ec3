{# What people query: a main table's contract columns, without tombstones. #}
SELECT * FROM {{ (feed.table ~ '_current') | identifier }}
