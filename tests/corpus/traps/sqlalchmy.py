import sqlalchmy
