/* Node-API as Electron has it: no ArrayBuffer over memory that is not the engine's. Linked with --wrap. */
#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <node_api.h>

napi_status __wrap_napi_create_external_arraybuffer(napi_env env, void *data, size_t len, napi_finalize finalize,
                                                    void *hint, napi_value *result);

napi_status __wrap_napi_create_external_arraybuffer(napi_env env, void *data, size_t len, napi_finalize finalize,
                                                    void *hint, napi_value *result) {
    (void)env, (void)data, (void)len, (void)finalize, (void)hint, (void)result;
    return (napi_status)22; /* napi_no_external_buffers_allowed */
}
