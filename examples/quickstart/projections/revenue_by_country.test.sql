-- What revenue_by_country.sql promises. Run them with `stele projection test`.

--@ test a line counts for the country that its order goes to, less its discount
--@ given
{"aggregate_type":"order","aggregate_id":"1","type":"OrderPlaced","data":{"ship_to":{"country":"France"}}}
{"aggregate_type":"order","aggregate_id":"1","type":"OrderLineAdded","data":{"quantity":3,"unit_price":10.5,"discount":0.15}}
{"aggregate_type":"order","aggregate_id":"1","type":"OrderLineAdded","data":{"quantity":1,"unit_price":2,"discount":0}}
--@ expect
SELECT country, lines, revenue FROM revenue_by_country
--@ rows
["France", 2, "28.7750"]

--@ test the country with the most revenue comes first
--@ given
{"aggregate_type":"order","aggregate_id":"1","type":"OrderPlaced","data":{"ship_to":{"country":"France"}}}
{"aggregate_type":"order","aggregate_id":"2","type":"OrderPlaced","data":{"ship_to":{"country":"Brazil"}}}
{"aggregate_type":"order","aggregate_id":"1","type":"OrderLineAdded","data":{"quantity":1,"unit_price":7,"discount":0}}
{"aggregate_type":"order","aggregate_id":"2","type":"OrderLineAdded","data":{"quantity":1,"unit_price":8,"discount":0}}
--@ expect
SELECT country, revenue FROM revenue_by_country
--@ rows
{"country":"Brazil","revenue":"8.0000"}
{"country":"France","revenue":"7.0000"}

--@ test sums of cents are exact, and an order without lines has no row
--@ given
{"aggregate_type":"order","aggregate_id":"1","type":"OrderPlaced","data":{"ship_to":{"country":"Italy"}}}
{"aggregate_type":"order","aggregate_id":"2","type":"OrderPlaced","data":{"ship_to":{"country":"Spain"}}}
{"aggregate_type":"order","aggregate_id":"1","type":"OrderLineAdded","data":{"quantity":1,"unit_price":0.1,"discount":0}}
{"aggregate_type":"order","aggregate_id":"1","type":"OrderLineAdded","data":{"quantity":1,"unit_price":0.2,"discount":0}}
--@ expect
SELECT country, ten_thousandths FROM revenue
--@ rows
["Italy", 3000]
