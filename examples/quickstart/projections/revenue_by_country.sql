-- Revenue by the country that orders are delivered to. A line's revenue is quantity x unit price x (1 - discount).
--
-- Sums are kept in ten-thousandths, as integers: prices have two decimals and discounts have two, so a line's revenue
-- has four and is exact, and so is every sum, in whatever order it is added up. Floating point would drift.
--
--@ projection revenue_by_country version 1

--@ create
-- Lines do not say where they go; the order that they stand in does.
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    country TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE revenue (
    country TEXT PRIMARY KEY,
    lines INTEGER NOT NULL,
    ten_thousandths INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIEW revenue_by_country AS
SELECT country,
       lines,
       printf('%d.%04d', ten_thousandths / 10000, ten_thousandths % 10000) AS revenue
FROM revenue
ORDER BY ten_thousandths DESC;

--@ on OrderPlaced
INSERT INTO orders (order_id, country) VALUES ($aggregate_id, $data(ship_to.country));

--@ on OrderLineAdded
INSERT INTO revenue (country, lines, ten_thousandths)
SELECT country, 1, CAST(round($data(quantity) * $data(unit_price) * (1 - $data(discount)) * 10000) AS INTEGER)
FROM orders
WHERE order_id = $aggregate_id
ON CONFLICT (country) DO UPDATE SET
    lines = lines + excluded.lines,
    ten_thousandths = ten_thousandths + excluded.ten_thousandths;
