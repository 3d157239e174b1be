// libtiff is reached through C++; this header only gives the module a body.
