/*
 * A URL of Pipit's as gRPC writes it
 */

#ifndef TESTS_BENCH_GRPC_TARGET_H
#define TESTS_BENCH_GRPC_TARGET_H

#include <string>

inline std::string grpc_target(const std::string &url)
{
        if (url.rfind("ipc://", 0) == 0)
                return "unix:" + url.substr(6);
        if (url.rfind("tcp://", 0) == 0)
                return url.substr(6);

        return url;
}

#endif
