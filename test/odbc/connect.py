"""Connects with each connection string of the JSON list on stdin, through the driver manager of this machine. For each, prints
the user that the server sees, or null if it refuses. It never prints a part of a string."""

import ctypes
import json
import sys

SQL_HANDLE_ENV, SQL_HANDLE_DBC, SQL_HANDLE_STMT = 1, 2, 3
SQL_ATTR_ODBC_VERSION, SQL_OV_ODBC3 = 200, 3
SQL_NTS, SQL_DRIVER_NOPROMPT, SQL_C_CHAR = -3, 0, 1

odbc = ctypes.CDLL("libodbc.so.2")


def handle(kind, parent):
    made = ctypes.c_void_p()
    assert odbc.SQLAllocHandle(kind, parent, ctypes.byref(made)) == 0
    return made


def wide(text):
    return ctypes.create_string_buffer(text.encode("utf-16-le") + b"\0\0")


def user(connection):
    statement = handle(SQL_HANDLE_STMT, connection)
    assert odbc.SQLExecDirectW(statement, wide("SELECT current_user"), SQL_NTS) in (0, 1)
    assert odbc.SQLFetch(statement) in (0, 1)
    value, length = ctypes.create_string_buffer(256), ctypes.c_long()
    assert odbc.SQLGetData(statement, 1, SQL_C_CHAR, value, 256, ctypes.byref(length)) in (0, 1)
    odbc.SQLFreeHandle(SQL_HANDLE_STMT, statement)
    return value.value.decode()


def connect(environment, text):
    connection = handle(SQL_HANDLE_DBC, environment)
    ended = odbc.SQLDriverConnectW(connection, None, wide(text), SQL_NTS, None, 0, None, SQL_DRIVER_NOPROMPT)
    name = user(connection) if ended in (0, 1) else None
    odbc.SQLDisconnect(connection)
    odbc.SQLFreeHandle(SQL_HANDLE_DBC, connection)
    return name


environment = handle(SQL_HANDLE_ENV, None)
odbc.SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, ctypes.c_void_p(SQL_OV_ODBC3), 0)
print(json.dumps([connect(environment, text) for text in json.load(sys.stdin)]))
